"""How the bank's query answers change a top-up, and what is recorded about it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.domain.bank import (
    Accepted,
    NotPaid,
    Paid,
    QueryAnswer,
)
from services.domain.money import Money
from services.domain.topup import TopUpState
from services.topup_settlement import ChangeKind, TopUpChange
from tests.kit.plain_store import OTHER_PHONE, PHONE
from tests.kit.topup_driver import (
    ACCEPTED,
    CANCELLED,
    EXPIRED,
    LEASE,
    PROCESSING,
    SILENCE,
    SUCCESS,
    S,
    TopUpDriver,
    in_state,
    open_reviews,
    wallet,
)

# Query answers ------------------------------------------------------------------------------


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


# What is recorded ---------------------------------------------------------------------------


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
