"""Every state a top-up can reach, and how one starts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from services import topup_settlement
from services.domain.bank import (
    Accepted,
    InitiateAnswer,
    QueryAnswer,
)
from services.domain.money import Money
from services.domain.refusal import Refusal
from services.domain.topup import TRANSITIONS, TopUp, TopUpState
from services.topups import Duplicate
from tests.kit.plain_store import OTHER_PHONE, PHONE
from tests.kit.refusals import REFUSED
from tests.kit.topup_driver import (
    ACCEPTED,
    BEFORE_CODE,
    CANCELLED,
    EXPIRED,
    NO_READABLE_ANSWER,
    NOT_SENT,
    PROCESSING,
    REJECTED,
    SILENCE,
    SUCCESS,
    S,
    TopUpDriver,
    code_expires,
    code_is_lost,
    give_code,
    give_wrong_codes,
    in_state,
    lease_ends,
    payment_arrives,
    wallet,
)

# Every transition ---------------------------------------------------------------------------


def _token_fails_for_a_minute(worker: TopUpDriver, reference: str) -> None:
    claimed = worker.claim(reference)
    worker.store.wait(seconds=60)
    worker.initiated(claimed, NOT_SENT)


def _nobody_comes_for_a_minute(worker: TopUpDriver, reference: str) -> None:
    worker.store.wait(seconds=60)
    worker.scan()


def _answer(answer: InitiateAnswer) -> Callable[[TopUpDriver, str], None]:
    return lambda worker, reference: (
        worker.initiated(worker.get(reference), answer) and None
    )  # fmt: skip


def _say(answer: QueryAnswer, wait: timedelta = timedelta(0)) -> Callable[[TopUpDriver, str], None]:
    def act(worker: TopUpDriver, reference: str) -> None:
        worker.store.now += wait
        worker.queried(worker.get(reference), answer)

    return act


def _two_admins(*, paid: bool) -> Callable[[TopUpDriver, str], None]:
    def act(worker: TopUpDriver, reference: str) -> None:
        topup = worker.get(reference)
        worker.store.do(
            lambda tx: topup_settlement.resolve(tx, topup, "the bank's statement", paid=paid)
        )

    return act


ARROWS: dict[tuple[TopUpState, TopUpState], list[Callable[[TopUpDriver, str], object]]] = {
    (S.OTP_SENT, S.CREATED): [give_code],
    (S.OTP_SENT, S.OTP_LOCKED): [give_wrong_codes],
    (S.OTP_SENT, S.OTP_EXPIRED): [code_expires],
    (S.OTP_SENT, S.CANCELLED): [code_is_lost],
    (S.CREATED, S.SENDING): [lambda worker, reference: worker.sending(reference)],
    (S.CREATED, S.PAID): [payment_arrives],
    (S.SENDING, S.PAID): [payment_arrives],
    (S.CREATED, S.REJECTED): [_token_fails_for_a_minute, _nobody_comes_for_a_minute],
    (S.SENDING, S.CREATED): [_answer(NOT_SENT)],
    (S.SENDING, S.PENDING): [_answer(ACCEPTED)],
    (S.SENDING, S.REJECTED): [_answer(REJECTED)],
    (S.SENDING, S.SEND_UNKNOWN): [_answer(NO_READABLE_ANSWER), lease_ends],
    (S.PENDING, S.PAID): [payment_arrives, _say(SUCCESS), _say(SUCCESS, timedelta(hours=25))],
    (S.PENDING, S.NOT_PAID): [_say(CANCELLED), _say(EXPIRED)],
    (S.PENDING, S.UNKNOWN): [
        _say(PROCESSING, timedelta(hours=24)),
        _say(SILENCE, timedelta(hours=24)),
    ],
    (S.SEND_UNKNOWN, S.PENDING): [_answer(Accepted("late", None, "ok"))],
    (S.SEND_UNKNOWN, S.PAID): [payment_arrives, _say(SUCCESS), _two_admins(paid=True)],
    (S.SEND_UNKNOWN, S.REJECTED): [_two_admins(paid=False)],
    (S.UNKNOWN, S.PAID): [payment_arrives, _say(SUCCESS), _two_admins(paid=True)],
    (S.UNKNOWN, S.NOT_PAID): [_say(CANCELLED), _two_admins(paid=False)],
    (S.NOT_PAID, S.PAID_LATE): [payment_arrives, _say(SUCCESS)],
    (S.REJECTED, S.PAID_LATE): [payment_arrives, _say(SUCCESS)],
}


def test_every_arrow_has_a_way_to_walk_it() -> None:
    assert set(ARROWS) == {(state, to) for state, nexts in TRANSITIONS.items() for to in nexts}


@pytest.mark.parametrize(
    ("state", "to", "act"),
    [(state, to, act) for (state, to), acts in ARROWS.items() for act in acts],
    ids=lambda part: part.value if isinstance(part, TopUpState) else "",
)
def test_an_arrow_is_walked(
    worker: TopUpDriver,
    state: TopUpState,
    to: TopUpState,
    act: Callable[[TopUpDriver, str], object],
) -> None:
    reference = worker.start() if state is S.SEND_UNKNOWN else in_state(worker, state)
    if state is S.SEND_UNKNOWN:  # by lease expiry, so that an answer can still arrive
        worker.sending(reference)
        lease_ends(worker, reference)
    act(worker, reference)
    assert worker.get(reference).state is to


# Starting a top-up --------------------------------------------------------------------------


def test_a_new_topup_is_due_at_once(worker: TopUpDriver) -> None:
    topup = worker.get(worker.start())
    assert (topup.state, topup.due_at, topup.attempt) == (S.CREATED, worker.store.now, 0)


def test_beginning_calls_nobody_and_credits_nothing(worker: TopUpDriver) -> None:
    worker.start()
    assert worker.store.count("SELECT count(*) FROM provider_calls") == 0
    assert wallet(worker) == 0


def test_one_event_never_begins_two(worker: TopUpDriver) -> None:
    worker.start()
    worker.events -= 1
    with pytest.raises(REFUSED, match="idempotency_key"):
        worker.ask(again=True)
    assert len(worker.store.tx.topups.every()) == 1


def test_a_taken_reference_is_drawn_again(worker: TopUpDriver) -> None:
    first = worker.start()
    worker.random.seed(1)
    second = worker.start()
    assert second != first


def test_a_suspended_partner_begins_nothing(worker: TopUpDriver) -> None:
    worker.person = worker.store.person("SUSP", suspended=True)
    assert worker.ask() == Refusal.of("suspended", partner="SUSP")


@pytest.mark.parametrize(
    ("cents", "code"),
    [
        (0, "below_minimum"),
        (-100, "below_minimum"),
        (99, "part_shillings"),
        (150_050, "part_shillings"),
        (25_000_100, "above_maximum"),
    ],
)
def test_an_amount_that_mpesa_does_not_take_is_refused(
    worker: TopUpDriver, cents: int, code: str
) -> None:
    answer = worker.ask(cents)
    assert isinstance(answer, Refusal)
    assert answer.code == code
    assert worker.store.tx.topups.every() == []


@pytest.mark.parametrize("cents", [100, 25_000_000])
def test_both_limits_themselves_are_taken(worker: TopUpDriver, cents: int) -> None:
    assert isinstance(worker.ask(cents), TopUp)


def test_a_refusal_tells_the_limit(worker: TopUpDriver) -> None:
    assert worker.ask(25_000_100) == Refusal.of("above_maximum", maximum=Money(25_000_000))


def test_a_limit_counts_from_its_day(worker: TopUpDriver) -> None:
    tomorrow = worker.store.now + timedelta(days=1)
    worker.store.do(
        lambda tx: tx.limits.set(
            "c2b.max", int(tomorrow.timestamp() * 1000), Money(100_000), "test"
        )
    )
    assert isinstance(worker.ask(150_000), TopUp)
    worker.store.wait(days=1)
    assert isinstance(worker.ask(150_000, again=True), Refusal)


@pytest.mark.parametrize("state", [S.CREATED, S.SENDING, S.PENDING, S.SEND_UNKNOWN])
def test_a_second_one_of_the_same_phone_and_amount_asks_first(
    worker: TopUpDriver, state: TopUpState
) -> None:
    reference = in_state(worker, state)
    assert worker.ask() == Duplicate(worker.get(reference))


@pytest.mark.parametrize("state", [S.PAID, S.NOT_PAID, S.REJECTED, S.UNKNOWN, S.PAID_LATE])
def test_a_settled_one_is_no_duplicate(worker: TopUpDriver, state: TopUpState) -> None:
    in_state(worker, state)
    assert isinstance(worker.ask(), TopUp)


def test_asked_again_a_second_one_is_begun(worker: TopUpDriver) -> None:
    worker.start()
    assert isinstance(worker.ask(again=True), TopUp)


def test_another_phone_or_amount_is_no_duplicate(worker: TopUpDriver) -> None:
    worker.start(150_000)
    assert isinstance(worker.ask(150_000, OTHER_PHONE), TopUp)
    assert isinstance(worker.ask(160_000, PHONE), TopUp)


def test_what_is_expected_by_hand_is_no_duplicate(worker: TopUpDriver) -> None:
    assert isinstance(worker.expect(150_000), TopUp)
    assert isinstance(worker.ask(150_000), TopUp)


def test_another_partners_topup_is_no_duplicate(worker: TopUpDriver) -> None:
    worker.start()
    worker.person = worker.store.person("ACME")
    assert isinstance(worker.ask(), TopUp)


def test_after_a_day_an_unanswered_request_counts_as_open_no_longer(worker: TopUpDriver) -> None:
    in_state(worker, S.SEND_UNKNOWN)
    worker.store.wait(hours=24, seconds=-1)
    assert isinstance(worker.ask(), Duplicate)
    worker.store.wait(seconds=1)
    assert isinstance(worker.ask(), TopUp)


@pytest.mark.parametrize(
    ("state", "counts"),
    [
        (state, state not in BEFORE_CODE | {S.NOT_PAID, S.REJECTED})
        for state in S
        if state is not S.UNKNOWN
    ],
)
def test_what_counts_for_the_day(worker: TopUpDriver, state: TopUpState, counts: bool) -> None:
    """Everything that may still be paid counts, so that prompts sent together cannot exceed the
    limit. (UNKNOWN is left out because such a top-up started a day ago.)"""
    in_state(worker, state, 100_000)
    _limit_a_day(worker, 150_000)
    left = 50_000 if counts else 150_000
    assert worker.ask(left + 100) == Refusal.of(
        "topup_day", maximum=Money(150_000), left=Money(left)
    )
    assert isinstance(worker.ask(left), TopUp)


def test_what_is_expected_by_hand_counts_for_the_day(worker: TopUpDriver) -> None:
    _limit_a_day(worker, 150_000)
    assert isinstance(worker.expect(100_000), TopUp)
    refused = Refusal.of("topup_day", maximum=Money(150_000), left=Money(50_000))
    assert worker.ask(60_000) == worker.expect(60_000) == refused


def test_what_is_expected_by_hand_has_its_day_while_the_desk_runs(worker: TopUpDriver) -> None:
    expected = worker.expect(100_000)
    assert isinstance(expected, TopUp)
    worker.store.wait(hours=30)  # including ten hours of downtime
    worker.store.do(lambda tx: tx.clock.record_downtime(timedelta(hours=10)))
    assert worker.scan() == ([], [])
    assert worker.get(expected.reference).due_at == worker.store.now + timedelta(hours=4)
    worker.store.wait(hours=4)
    assert worker.scan()[1] != []
    assert worker.get(expected.reference).state is TopUpState.NOT_PAID


def test_neither_yesterdays_nor_anothers_count_for_the_day(worker: TopUpDriver) -> None:
    _limit_a_day(worker, 150_000)
    worker.store.now = datetime(2026, 3, 2, 20, 59, 59, tzinfo=UTC)
    worker.start(150_000)
    assert isinstance(worker.ask(100), Refusal)
    amina = worker.person
    worker.person = worker.store.person("ACME")
    assert isinstance(worker.ask(150_000), TopUp)
    worker.person = amina
    worker.store.now = datetime(2026, 3, 2, 21, 0, tzinfo=UTC)  # midnight in Nairobi
    worker.start(150_000)


def test_a_days_limit_lowered_below_what_was_begun_leaves_nothing(worker: TopUpDriver) -> None:
    worker.start(150_000)
    _limit_a_day(worker, 100_000)
    assert worker.ask(100) == Refusal.of("topup_day", maximum=Money(100_000), left=Money(0))


def _limit_a_day(worker: TopUpDriver, cents: int) -> None:
    since = int(worker.store.now.timestamp() * 1000)
    worker.store.do(lambda tx: tx.limits.set("c2b.day", since, Money(cents), "test"))
