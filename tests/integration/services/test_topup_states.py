"""What a top-up becomes when the bank says this or that, or nothing."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from services import payments, topups
from services.domain.bank import (
    Accepted,
    InitiateAnswer,
    NoAnswer,
    NotPaid,
    NotSent,
    Paid,
    QueryAnswer,
)
from services.domain.ledger import Account, AccountKind
from services.domain.money import Money
from services.domain.payment import Payer, Payment
from services.domain.refusal import Refusal
from services.domain.topup import TRANSITIONS, TopUp, TopUpState
from services.topups import ChangeKind, Duplicate, TopUpChange
from tests.kit.plain_store import OTHER_PHONE, PHONE, PlainStore
from tests.kit.topup_driver import (
    EXPIRED,
    LEASE,
    NO_READABLE_ANSWER,
    PROCESSING,
    REJECTED,
    SUCCESS,
    TopUpDriver,
    in_state,
)

S = TopUpState
ACCEPTED = Accepted("b1", None, "Success. Request accepted")
NOT_SENT = NotSent("connection refused")
CANCELLED = NotPaid("cancelled", True, "Request cancelled by user")
SILENCE = NoAnswer("read timeout")


@pytest.fixture
def worker(fresh_store: PlainStore) -> TopUpDriver:
    return TopUpDriver(fresh_store)


def wallet(worker: TopUpDriver) -> int:
    account = Account(worker.person.partner.code, AccountKind.WALLET)
    return worker.store.tx.ledger.balance(account).posted.cents


def open_reviews(worker: TopUpDriver, why: str) -> int:
    return worker.store.count(
        "SELECT count(*) FROM review_items WHERE why = ? AND closed_at IS NULL", why
    )


# Every arrow --------------------------------------------------------------------------------


def _token_fails_for_a_minute(worker: TopUpDriver, reference: str) -> None:
    claimed = worker.claim(reference)
    worker.store.wait(seconds=60)
    worker.initiated(claimed, NOT_SENT)


def _nobody_comes_for_a_minute(worker: TopUpDriver, reference: str) -> None:
    worker.store.wait(seconds=60)
    worker.scan()


def _lease_ends(worker: TopUpDriver, reference: str) -> None:
    worker.store.wait(seconds=LEASE.total_seconds())
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
        worker.store.do(lambda tx: topups.resolve(tx, topup, "the bank's statement", paid=paid))

    return act


def _payment_arrives(worker: TopUpDriver, reference: str) -> None:
    topup = worker.get(reference)
    payment = Payment(
        "UF4OR6RP9Q", topup.amount, worker.store.now, reference, Payer(PHONE.msisdn), "notification"
    )
    worker.store.do(lambda tx: payments.record(tx, worker.random, payment))


ARROWS: dict[tuple[TopUpState, TopUpState], list[Callable[[TopUpDriver, str], object]]] = {
    (S.CREATED, S.SENDING): [lambda worker, reference: worker.sending(reference)],
    (S.CREATED, S.PAID): [_payment_arrives],
    (S.SENDING, S.PAID): [_payment_arrives],
    (S.CREATED, S.REJECTED): [_token_fails_for_a_minute, _nobody_comes_for_a_minute],
    (S.SENDING, S.CREATED): [_answer(NOT_SENT)],
    (S.SENDING, S.PENDING): [_answer(ACCEPTED)],
    (S.SENDING, S.REJECTED): [_answer(REJECTED)],
    (S.SENDING, S.SEND_UNKNOWN): [_answer(NO_READABLE_ANSWER), _lease_ends],
    (S.PENDING, S.PAID): [_payment_arrives, _say(SUCCESS), _say(SUCCESS, timedelta(hours=25))],
    (S.PENDING, S.NOT_PAID): [_say(CANCELLED), _say(EXPIRED)],
    (S.PENDING, S.UNKNOWN): [
        _say(PROCESSING, timedelta(hours=24)),
        _say(SILENCE, timedelta(hours=24)),
    ],
    (S.SEND_UNKNOWN, S.PENDING): [_answer(Accepted("late", None, "ok"))],
    (S.SEND_UNKNOWN, S.PAID): [_payment_arrives, _say(SUCCESS), _two_admins(paid=True)],
    (S.SEND_UNKNOWN, S.REJECTED): [_two_admins(paid=False)],
    (S.UNKNOWN, S.PAID): [_payment_arrives, _say(SUCCESS), _two_admins(paid=True)],
    (S.UNKNOWN, S.NOT_PAID): [_say(CANCELLED), _two_admins(paid=False)],
    (S.NOT_PAID, S.PAID_LATE): [_payment_arrives, _say(SUCCESS)],
    (S.REJECTED, S.PAID_LATE): [_payment_arrives, _say(SUCCESS)],
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
    if state is S.SEND_UNKNOWN:  # by its lease, so that its answer can still come
        worker.sending(reference)
        _lease_ends(worker, reference)
    act(worker, reference)
    assert worker.get(reference).state is to


# Beginning ----------------------------------------------------------------------------------


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
    with pytest.raises(sqlite3.IntegrityError, match="idempotency_key"):
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
    [(state, state not in (S.NOT_PAID, S.REJECTED)) for state in S if state is not S.UNKNOWN],
)
def test_what_counts_for_the_day(worker: TopUpDriver, state: TopUpState, counts: bool) -> None:
    """Whatever may still be paid does, so that prompts sent at once do not pass it together.
    (What is unknown was begun a day ago.)"""
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
    worker.store.wait(hours=30)  # of which it stood still for ten
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


# Claims -------------------------------------------------------------------------------------


def test_a_claim_holds_until_its_lease_ends(worker: TopUpDriver) -> None:
    reference = in_state(worker, S.PENDING)
    worker.store.wait(seconds=5)
    first = worker.claim(reference)
    worker.store.wait(seconds=LEASE.total_seconds(), milliseconds=-1)
    assert worker.scan() == ([], [])
    worker.store.wait(milliseconds=1)
    assert worker.claim(reference).attempt == first.attempt + 1


def test_what_is_not_due_is_not_claimed(worker: TopUpDriver) -> None:
    reference = in_state(worker, S.PENDING)
    worker.store.wait(seconds=4.999)
    assert worker.scan() == ([], [])
    worker.store.wait(seconds=0.001)
    assert worker.claim(reference).state is S.PENDING


def test_the_longest_due_is_claimed_first_and_no_more_than_asked(worker: TopUpDriver) -> None:
    references = []
    for _ in range(3):
        references.append(worker.start())
        worker.store.wait(seconds=1)
    work, _ = worker.store.do(lambda tx: topups.claim(tx, LEASE, 2, 2))
    assert [topup.reference for topup in work] == references[:2]


def test_what_is_to_be_sent_and_what_is_to_be_asked_about_have_each_their_own_room(
    worker: TopUpDriver,
) -> None:
    pending = [in_state(worker, S.PENDING) for _ in range(2)]
    worker.store.wait(seconds=60)
    created = [worker.start() for _ in range(2)]
    work, _ = worker.store.do(lambda tx: topups.claim(tx, LEASE, 2, 1))
    assert [topup.reference for topup in work] == [*created, pending[0]]


def test_the_next_due_moment_is_the_earliest(worker: TopUpDriver) -> None:
    assert worker.store.tx.topups.next_due() is None
    in_state(worker, S.PENDING)
    worker.store.wait(seconds=60)
    worker.start()
    worker.claim(worker.store.tx.topups.newest().reference)  # type: ignore[union-attr]
    assert worker.store.tx.topups.next_due() == worker.store.now + LEASE


def test_a_lost_claim_sends_nothing(worker: TopUpDriver) -> None:
    reference = worker.start()
    late = worker.claim(reference)
    worker.restart()
    worker.claim(reference)
    assert worker.begin(late) is None
    assert worker.get(reference).state is S.CREATED


def test_a_claim_sends_once(worker: TopUpDriver) -> None:
    reference = worker.start()
    claimed = worker.claim(reference)
    assert worker.begin(claimed) is not None
    assert worker.begin(claimed) is None


def test_sending_is_committed_with_its_moment_and_a_fresh_lease(worker: TopUpDriver) -> None:
    reference = worker.start()
    claimed = worker.claim(reference)
    worker.store.wait(seconds=20)
    worker.begin(claimed)
    topup = worker.get(reference)
    assert topup.sent_at == worker.store.now
    assert topup.due_at == worker.store.now + LEASE


def test_a_worker_that_never_came_back_leaves_it_unknown_and_to_the_admins(
    worker: TopUpDriver,
) -> None:
    reference = in_state(worker, S.SENDING)
    worker.store.wait(seconds=LEASE.total_seconds())
    work, (change,) = worker.scan()
    assert work == []
    assert change == TopUpChange(worker.get(reference), ChangeKind.OUTCOME)
    assert change.topup.state is S.SEND_UNKNOWN
    assert open_reviews(worker, "send_unknown") == 1


def test_at_start_up_the_leases_of_the_last_run_end(worker: TopUpDriver) -> None:
    sending, created = in_state(worker, S.SENDING), worker.start()
    worker.claim(created)
    pending = in_state(worker, S.PENDING)
    due_at = worker.get(pending).due_at
    assert worker.restart() == 2
    assert worker.get(pending).due_at == due_at  # nobody was asking about it
    work, changes = worker.scan()
    assert [topup.reference for topup in work] == [created]
    assert [change.topup.reference for change in changes] == [sending]


def test_at_start_up_what_was_being_asked_about_is_due_at_once(worker: TopUpDriver) -> None:
    pending = in_state(worker, S.PENDING)
    worker.store.wait(seconds=10)
    worker.claim(pending)
    assert worker.restart() == 1
    assert worker.claim(pending).reference == pending


def test_what_was_answered_is_claimed_no_more(worker: TopUpDriver) -> None:
    pending = in_state(worker, S.PENDING)
    worker.asked(pending, PROCESSING)
    assert worker.restart() == 0


# The one request ----------------------------------------------------------------------------


def test_what_was_not_sent_is_tried_again_every_five_seconds(worker: TopUpDriver) -> None:
    reference = worker.start()
    assert worker.no_token(reference) is None
    topup = worker.get(reference)
    assert (topup.state, topup.sent_at) == (S.CREATED, None)
    assert topup.due_at == worker.store.now + timedelta(seconds=5)


def test_the_last_try_is_at_the_end_of_the_minute(worker: TopUpDriver) -> None:
    reference = worker.start()
    worker.store.wait(seconds=58)
    worker.no_token(reference)
    topup = worker.get(reference)
    assert topup.due_at == topup.created_at + timedelta(seconds=60)


def test_after_a_minute_of_not_sending_it_is_rejected_as_bank_down(worker: TopUpDriver) -> None:
    reference = worker.start()
    claimed = worker.claim(reference)
    worker.store.wait(seconds=60)
    change = worker.initiated(claimed, NOT_SENT)
    assert change == TopUpChange(worker.get(reference), ChangeKind.OUTCOME)
    assert (change.topup.state, change.topup.reason) == (S.REJECTED, "bank_down")


def test_a_prompt_that_nobody_expects_any_more_is_not_sent(worker: TopUpDriver) -> None:
    """The program was down over night."""
    reference = worker.start()
    worker.store.wait(hours=9)
    work, (change,) = worker.scan()
    assert work == []
    assert change == TopUpChange(worker.get(reference), ChangeKind.OUTCOME)
    assert (change.topup.state, change.topup.reason) == (S.REJECTED, "bank_down")


def test_a_request_that_never_left_may_be_made_again(worker: TopUpDriver) -> None:
    reference = worker.start()
    assert worker.sent(reference, NOT_SENT) is None
    assert worker.get(reference).sent_at is None
    worker.store.wait(seconds=5)
    assert worker.sent(reference, ACCEPTED) is not None
    assert worker.get(reference).state is S.PENDING


def test_a_late_worker_that_sent_nothing_does_not_move_the_schedule(worker: TopUpDriver) -> None:
    reference = worker.start()
    late = worker.claim(reference)
    worker.restart()
    worker.sending(reference)
    before = worker.get(reference)
    assert worker.initiated(late, NOT_SENT) is None
    assert worker.get(reference) == before


def test_accepted_is_not_paid(worker: TopUpDriver) -> None:
    reference = in_state(worker, S.PENDING)
    assert worker.get(reference).bank_id == f"b-{reference}"
    assert wallet(worker) == 0


def test_an_accepted_prompt_is_progress_and_first_asked_about_after_five_seconds(
    worker: TopUpDriver,
) -> None:
    reference = worker.start()
    sending = worker.sending(reference)
    worker.store.wait(seconds=2)
    change = worker.initiated(sending, ACCEPTED)
    assert change == TopUpChange(worker.get(reference), ChangeKind.PROGRESS)
    assert change.topup.due_at == worker.store.now + timedelta(seconds=5)


def test_a_rejection_is_told_with_its_reason_and_never_tried_again(worker: TopUpDriver) -> None:
    reference = worker.start()
    change = worker.sent(reference, REJECTED)
    assert change == TopUpChange(worker.get(reference), ChangeKind.OUTCOME)
    assert (change.topup.reason, change.topup.due_at) == ("declined", None)


def test_an_unreadable_answer_is_unknown_never_failed(worker: TopUpDriver) -> None:
    reference = worker.start()
    change = worker.sent(reference, NO_READABLE_ANSWER)
    assert change == TopUpChange(worker.get(reference), ChangeKind.OUTCOME)
    assert (change.topup.state, change.topup.due_at) == (S.SEND_UNKNOWN, None)
    assert open_reviews(worker, "send_unknown") == 1


@pytest.mark.parametrize("answer", [REJECTED, NOT_SENT, NO_READABLE_ANSWER])
def test_an_answer_after_the_lease_that_brings_no_id_changes_nothing(
    worker: TopUpDriver, answer: InitiateAnswer
) -> None:
    reference = worker.start()
    late = worker.sending(reference)
    _lease_ends(worker, reference)
    before = worker.get(reference)
    assert worker.initiated(late, answer) is None
    assert worker.get(reference) == before


def test_an_answer_after_the_lease_that_brings_the_id_lets_the_bank_be_asked(
    worker: TopUpDriver,
) -> None:
    reference = worker.start()
    late = worker.sending(reference)
    _lease_ends(worker, reference)
    change = worker.initiated(late, ACCEPTED)
    topup = worker.get(reference)
    assert change == TopUpChange(topup, ChangeKind.PROGRESS)
    assert (topup.bank_id, topup.settled_at, topup.can_be_queried) == ("b1", None, True)
    assert topup.due_at == worker.store.now + timedelta(seconds=10)  # as a minute after sending
    assert open_reviews(worker, "send_unknown") == 0


@pytest.mark.parametrize("answer", [NOT_SENT, ACCEPTED, REJECTED, NO_READABLE_ANSWER])
@pytest.mark.parametrize("sent", [False, True])
def test_no_answer_moves_what_was_paid_before_it_came(
    worker: TopUpDriver, answer: InitiateAnswer, sent: bool
) -> None:
    """The payment came another way while the request, or its token, was under way."""
    reference = worker.start()
    claimed = worker.sending(reference) if sent else worker.claim(reference)
    _payment_arrives(worker, reference)
    before = worker.get(reference)
    assert before.state is S.PAID
    assert worker.initiated(claimed, answer) is None
    assert worker.get(reference) == before
    assert worker.store.tx.evidence.open_review_reasons(reference) == []
    worker.store.wait(minutes=2)
    assert worker.scan() == ([], [])
    assert wallet(worker) == 150_000


def test_a_late_id_does_not_reopen_what_was_paid(worker: TopUpDriver) -> None:
    reference = worker.start()
    late = worker.sending(reference)
    _lease_ends(worker, reference)
    worker.queried(worker.get(reference), SUCCESS)
    before = worker.get(reference)
    assert worker.initiated(late, ACCEPTED) is None
    assert worker.get(reference) == before


@pytest.mark.parametrize("second", [ACCEPTED, REJECTED, NO_READABLE_ANSWER])
def test_a_second_answer_to_the_one_request_changes_nothing(
    worker: TopUpDriver, second: InitiateAnswer
) -> None:
    reference = worker.start()
    sending = worker.sending(reference)
    worker.initiated(sending, ACCEPTED)
    before = worker.get(reference)
    assert worker.initiated(sending, second) is None
    assert worker.get(reference) == before


def test_a_second_money_call_cannot_be_noted(worker: TopUpDriver) -> None:
    reference = worker.start()
    worker.sent(reference, ACCEPTED)
    with pytest.raises(sqlite3.IntegrityError, match=r"provider_calls\.operation"):
        worker.store.do(
            lambda tx: tx.evidence.call(reference, "initiate", 1, "accepted", "again", 250)
        )


# What the query says ------------------------------------------------------------------------


def test_a_payment_is_credited_and_told(worker: TopUpDriver) -> None:
    reference = in_state(worker, S.PENDING)
    change = worker.asked(reference, SUCCESS)
    assert change == TopUpChange(worker.get(reference), ChangeKind.OUTCOME)
    assert (change.topup.state, change.topup.due_at) == (S.PAID, None)
    assert change.topup.settled_at == worker.store.now
    assert wallet(worker) == 150_000


@pytest.mark.parametrize("state", [S.PENDING, S.NOT_PAID])
def test_a_second_success_credits_nothing_and_tells_nobody(
    worker: TopUpDriver, state: TopUpState
) -> None:
    reference = in_state(worker, state)
    claimed = worker.get(reference)
    worker.queried(claimed, SUCCESS)
    assert worker.queried(claimed, SUCCESS) is None
    assert wallet(worker) == 150_000


@pytest.mark.parametrize("answer", [CANCELLED, EXPIRED, PROCESSING, SILENCE])
@pytest.mark.parametrize("state", [S.PAID, S.PAID_LATE])
def test_nothing_said_later_takes_a_payment_back(
    worker: TopUpDriver, state: TopUpState, answer: QueryAnswer
) -> None:
    reference = in_state(worker, state)
    before = worker.get(reference)
    assert worker.queried(before, answer) is None
    assert worker.get(reference) == before
    assert wallet(worker) == 150_000


def test_success_counts_whoever_brings_it(worker: TopUpDriver) -> None:
    reference = in_state(worker, S.PENDING)
    worker.store.wait(seconds=5)
    late = worker.claim(reference)
    worker.store.wait(seconds=LEASE.total_seconds())
    worker.claim(reference)
    assert worker.queried(late, SUCCESS) is not None
    assert wallet(worker) == 150_000


@pytest.mark.parametrize("state", [S.NOT_PAID, S.REJECTED])
def test_a_late_success_is_credited_and_told(worker: TopUpDriver, state: TopUpState) -> None:
    reference = in_state(worker, state)
    change = worker.queried(worker.get(reference), SUCCESS)
    assert change == TopUpChange(worker.get(reference), ChangeKind.OUTCOME)
    assert (change.topup.state, change.topup.reason) == (S.PAID_LATE, None)
    assert wallet(worker) == 150_000


@pytest.mark.parametrize("state", [S.SEND_UNKNOWN, S.UNKNOWN])
def test_a_success_closes_what_the_admins_had_to_look_at(
    worker: TopUpDriver, state: TopUpState
) -> None:
    reference = in_state(worker, state)
    assert open_reviews(worker, state.value.lower()) == 1
    worker.queried(worker.get(reference), SUCCESS)
    assert open_reviews(worker, state.value.lower()) == 0


def test_a_final_failure_is_told_and_not_asked_about_again(worker: TopUpDriver) -> None:
    reference = in_state(worker, S.PENDING)
    change = worker.asked(reference, CANCELLED)
    assert change == TopUpChange(worker.get(reference), ChangeKind.OUTCOME)
    assert (change.topup.reason, change.topup.due_at) == ("cancelled", None)


def test_a_soft_failure_is_told_once_and_still_asked_about(worker: TopUpDriver) -> None:
    reference = in_state(worker, S.PENDING)
    change = worker.asked(reference, EXPIRED)
    assert change == TopUpChange(worker.get(reference), ChangeKind.OUTCOME)
    assert change.topup.due_at == worker.store.now + timedelta(seconds=30)
    assert worker.asked(reference, EXPIRED) is None


def test_a_soft_failure_that_becomes_final_is_asked_about_no_more(worker: TopUpDriver) -> None:
    reference = in_state(worker, S.NOT_PAID)
    assert worker.asked(reference, CANCELLED) is None
    topup = worker.get(reference)
    assert (topup.state, topup.reason, topup.due_at) == (S.NOT_PAID, "expired", None)


@pytest.mark.parametrize("answer", [EXPIRED, PROCESSING, SILENCE])
def test_a_soft_failure_is_asked_about_for_a_day(worker: TopUpDriver, answer: QueryAnswer) -> None:
    reference = in_state(worker, S.NOT_PAID)
    asked = 0
    while (due_at := worker.get(reference).due_at) is not None:
        worker.store.now = due_at
        worker.asked(reference, answer)
        asked += 1
        assert asked < 200
    topup = worker.get(reference)
    assert topup.state is S.NOT_PAID
    assert topup.sent_at is not None
    assert worker.store.now == topup.sent_at + timedelta(hours=24)
    assert asked > 50


@pytest.mark.parametrize("answer", [PROCESSING, SILENCE])
def test_a_late_worker_without_evidence_does_not_move_the_schedule(
    worker: TopUpDriver, answer: QueryAnswer
) -> None:
    reference = in_state(worker, S.PENDING)
    worker.store.wait(seconds=5)
    late = worker.claim(reference)
    worker.store.wait(seconds=LEASE.total_seconds())
    worker.claim(reference)
    before = worker.get(reference)
    assert worker.queried(late, answer) is None
    assert worker.get(reference) == before


@pytest.mark.parametrize("answer", [EXPIRED, PROCESSING, SILENCE])
def test_a_final_failure_stays_unasked_whatever_a_call_that_was_out_brings(
    worker: TopUpDriver, answer: QueryAnswer
) -> None:
    reference = in_state(worker, S.PENDING)
    worker.store.wait(seconds=5)
    first = worker.claim(reference)
    worker.ask_now(reference)
    second = worker.claim(reference)
    worker.queried(first, CANCELLED)
    worker.queried(second, answer)
    assert worker.get(reference).due_at is None


@pytest.mark.parametrize("answer", [PROCESSING, SILENCE])
def test_an_open_prompt_is_asked_about_by_the_schedule(
    worker: TopUpDriver, answer: QueryAnswer
) -> None:
    reference = in_state(worker, S.PENDING)
    sent_at = worker.store.now
    ages = []
    while worker.get(reference).state is S.PENDING:
        worker.asked(reference, answer)
        ages.append((worker.store.now - sent_at).total_seconds())
    assert ages[:8] == [5, 10, 15, 20, 25, 30, 40, 50]
    assert [age for age in ages if 90 <= age <= 180] == [90, 105, 120, 135, 150, 165, 180]
    assert [age for age in ages if 600 <= age <= 1500] == [600, 900, 1200, 1500]
    assert ages[-1] == 24 * 3600


def test_at_three_minutes_it_is_slow_and_told_once(worker: TopUpDriver) -> None:
    reference = in_state(worker, S.PENDING)
    told = []
    for _ in range(40):
        change = worker.asked(reference, PROCESSING)
        if change is not None:
            told.append((change.kind, worker.store.now - worker.get(reference).created_at))
    assert told == [(ChangeKind.SLOW, timedelta(minutes=3))]
    topup = worker.get(reference)
    assert (topup.state, topup.slow) == (S.PENDING, True)


def test_just_before_three_minutes_it_is_not_slow(worker: TopUpDriver) -> None:
    reference = in_state(worker, S.PENDING)
    worker.store.wait(minutes=3, milliseconds=-1)
    assert worker.asked(reference, PROCESSING) is None
    assert not worker.get(reference).slow


@pytest.mark.parametrize("answer", [PROCESSING, SILENCE])
def test_age_alone_makes_nothing_unknown_before_the_day_is_over(
    worker: TopUpDriver, answer: QueryAnswer
) -> None:
    reference = in_state(worker, S.PENDING)
    worker.store.wait(hours=24, milliseconds=-1)
    worker.asked(reference, answer)
    assert worker.get(reference).state is S.PENDING


@pytest.mark.parametrize("answer", [PROCESSING, SILENCE])
def test_after_a_day_an_open_prompt_is_unknown_and_the_admins_have_to_look(
    worker: TopUpDriver, answer: QueryAnswer
) -> None:
    reference = in_state(worker, S.PENDING)
    worker.store.wait(hours=24)
    change = worker.asked(reference, answer)
    assert change == TopUpChange(worker.get(reference), ChangeKind.OUTCOME)
    assert (change.topup.state, change.topup.due_at) == (S.UNKNOWN, None)
    assert open_reviews(worker, "unknown") == 1


def test_nobody_asking_makes_nothing_unknown(worker: TopUpDriver) -> None:
    reference = in_state(worker, S.PENDING)
    worker.store.wait(days=30)
    worker.scan()
    assert worker.get(reference).state is S.PENDING


@pytest.mark.parametrize("answer", [EXPIRED, PROCESSING, SILENCE])
def test_unknown_is_left_only_by_final_evidence(worker: TopUpDriver, answer: QueryAnswer) -> None:
    reference = in_state(worker, S.UNKNOWN)
    worker.ask_now(reference)
    worker.store.wait(days=10)
    assert worker.asked(reference, answer) is None
    topup = worker.get(reference)
    assert (topup.state, topup.due_at) == (S.UNKNOWN, None)
    assert open_reviews(worker, "unknown") == 1


# Check now ----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [S.PENDING, S.NOT_PAID, S.UNKNOWN])
def test_the_person_can_have_the_bank_asked_now(worker: TopUpDriver, state: TopUpState) -> None:
    reference = in_state(worker, state)
    asked = worker.ask_now(reference)
    assert asked == worker.get(reference)
    assert worker.claim(reference).reference == reference


@pytest.mark.parametrize(
    "state", [S.CREATED, S.SENDING, S.SEND_UNKNOWN, S.REJECTED, S.PAID, S.PAID_LATE]
)
def test_where_the_bank_can_say_nothing_new_it_is_not_asked(
    worker: TopUpDriver, state: TopUpState
) -> None:
    reference = in_state(worker, state)
    before = worker.get(reference)
    assert worker.ask_now(reference) is None
    assert worker.get(reference) == before


def test_a_topup_nobody_knows_is_not_asked_about(worker: TopUpDriver) -> None:
    assert worker.ask_now("TU-222222") is None


# What is remembered -------------------------------------------------------------------------


def test_each_call_is_noted_with_its_attempt_and_time(worker: TopUpDriver) -> None:
    reference = worker.start()
    worker.no_token(reference)
    worker.store.wait(seconds=5)
    worker.sent(reference, ACCEPTED)
    worker.asked(reference, SUCCESS)
    rows = worker.store.conn.execute(
        "SELECT call, attempt, outcome, milliseconds FROM provider_calls ORDER BY id"
    ).fetchall()
    assert rows == [
        ("token", 1, "not_sent", 250),
        ("initiate", 2, "accepted", 250),
        ("query", 3, "paid", 250),
    ]


def test_the_push_row_follows_the_banks_words(worker: TopUpDriver) -> None:
    reference = in_state(worker, S.PENDING)
    worker.asked(reference, PROCESSING)
    worker.asked(reference, CANCELLED)
    row = worker.store.conn.execute(
        "SELECT account_reference, bank_id, status, description, polls FROM ncb_stk_push_logs"
    ).fetchone()
    assert row == (
        reference.replace("-", ""),
        f"b-{reference}",
        "accepted",
        "Request cancelled by user",
        2,
    )


def test_long_words_are_cut(worker: TopUpDriver) -> None:
    reference = in_state(worker, S.PENDING)
    worker.asked(reference, Paid("x" * 500))
    assert worker.store.count("SELECT max(length(said)) FROM evidence") == 200
    assert worker.store.count("SELECT length(description) FROM ncb_stk_push_logs") == 200


def test_usual_amounts_are_those_that_were_paid_latest_first(worker: TopUpDriver) -> None:
    for cents in (100_000, 200_000, 100_000, 300_000):
        in_state(worker, S.PAID, cents)
        worker.store.wait(minutes=1)
    in_state(worker, S.NOT_PAID, 900_000)
    amounts = worker.store.tx.topups.recent_amounts(worker.person.id, 2)
    assert amounts == [Money(300_000), Money(100_000)]


def test_recent_phones_are_those_that_paid(worker: TopUpDriver) -> None:
    in_state(worker, S.PAID)
    worker.ask(500_000, OTHER_PHONE)
    assert worker.store.tx.topups.recent_phones(worker.person.id, 5) == [PHONE]


def test_a_soft_failure_at_the_end_of_the_day_is_unknown_not_final(worker: TopUpDriver) -> None:
    reference = worker.start()
    worker.sent(reference, Accepted("b1", None, "ok"))
    worker.store.wait(hours=24)
    worker.queried(worker.claim(reference), NotPaid("expired", False, "expired"))
    assert worker.get(reference).state is S.UNKNOWN
