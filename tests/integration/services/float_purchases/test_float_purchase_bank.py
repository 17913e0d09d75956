"""How the bank's answers, including late ones, change a float purchase."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services import float_settlement
from services.domain.bank import (
    FloatAnswer,
    NoAnswer,
    StatusAnswer,
    StillOpen,
)
from services.domain.float_purchase import NOT_SENT_EVERY, PurchaseState
from services.float_settlement import PurchaseChange
from tests.kit.float_buyer import (
    AMOUNT,
    FAILED,
    LEASE,
    NO_READABLE_ANSWER,
    NOT_SENT,
    REJECTED,
    SUCCESS,
    FloatBuyer,
    S,
    in_state,
    lease_ends,
)

OPEN = StillOpen("no such transaction")
SILENCE = NoAnswer("read timeout")


# The bank's answers -----------------------------------------------------------------------------


def test_what_was_not_sent_is_tried_every_five_seconds_for_a_minute(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.AUTHORISED)
    began, tries = buyer.store.now, []
    while buyer.get(reference).state is S.AUTHORISED:
        tries.append((buyer.store.now - began).total_seconds())
        buyer.answered(buyer.submitting(reference), NOT_SENT)
        due_at = buyer.get(reference).due_at
        assert due_at is not None
        buyer.store.now = due_at
        if buyer.store.now >= began + timedelta(seconds=60):
            buyer.scan()
    assert tries == [5.0 * n for n in range(12)]
    purchase = buyer.get(reference)
    assert (purchase.state, purchase.reason) == (S.FAILED, "bank_down")
    assert purchase.settled_at == began + timedelta(seconds=60)
    assert buyer.available() == 3_000_000


def test_what_was_not_sent_may_still_be_sent(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.AUTHORISED)
    buyer.answered(buyer.submitting(reference), NOT_SENT)
    buyer.store.wait(seconds=5)
    buyer.answered(buyer.submitting(reference), SUCCESS)
    assert buyer.get(reference).state is S.SUCCEEDED


def test_the_end_of_a_lease_leaves_it_unknown_with_its_holds(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.SUBMITTING)
    buyer.store.wait(seconds=LEASE.total_seconds(), milliseconds=-1)
    assert buyer.scan() == ([], [])
    buyer.store.wait(milliseconds=1)
    work, settled = buyer.scan()
    assert (work, settled) == ([], [PurchaseChange(buyer.get(reference))])
    assert buyer.get(reference).state is S.UNKNOWN
    assert buyer.reviews(reference) == 1
    assert buyer.available() < 3_000_000


def test_a_restart_ends_the_lease(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.SUBMITTING)
    assert buyer.restart() == 1
    buyer.scan()
    assert buyer.get(reference).state is S.UNKNOWN


@pytest.mark.parametrize(
    ("answer", "state"),
    [(SUCCESS, S.SUCCEEDED), (REJECTED, S.FAILED), (NO_READABLE_ANSWER, S.UNKNOWN)],
)
def test_an_answer_after_the_lease_settles_what_is_unknown(
    buyer: FloatBuyer, answer: FloatAnswer, state: PurchaseState
) -> None:
    reference = in_state(buyer, S.AUTHORISED)
    claimed = buyer.submitting(reference)
    lease_ends(buyer, reference)
    settled = buyer.answered(claimed, answer)
    assert (settled is None) == (state is S.UNKNOWN)
    assert buyer.get(reference).state is state
    whys = {S.SUCCEEDED: [], S.FAILED: ["bank_refused"], S.UNKNOWN: ["unknown"]}
    assert buyer.store.tx.evidence.open_review_reasons(reference) == whys[state]


def test_a_late_word_that_nothing_was_sent_lets_go_of_what_is_unknown(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.AUTHORISED)
    claimed = buyer.submitting(reference)
    lease_ends(buyer, reference)
    assert buyer.get(reference).state is S.UNKNOWN
    assert buyer.answered(claimed, NOT_SENT) == PurchaseChange(buyer.get(reference))
    purchase = buyer.get(reference)
    assert (purchase.state, purchase.reason, purchase.due_at) == (S.FAILED, "bank_down", None)
    assert buyer.available() == 3_000_000
    assert buyer.reviews(reference) == 0


def test_that_nothing_was_sent_once_says_nothing_of_a_later_request(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.AUTHORISED)
    first = buyer.submitting(reference)
    buyer.answered(first, NOT_SENT)
    buyer.store.now += NOT_SENT_EVERY
    buyer.submitting(reference)
    lease_ends(buyer, reference)
    assert buyer.answered(first, NOT_SENT) is None
    assert buyer.get(reference).state is S.UNKNOWN


@pytest.mark.parametrize("said", [SUCCESS, FAILED])
def test_a_late_word_that_nothing_was_sent_takes_back_no_outcome(
    buyer: FloatBuyer, said: StatusAnswer
) -> None:
    reference = in_state(buyer, S.AUTHORISED)
    claimed = buyer.submitting(reference)
    lease_ends(buyer, reference)
    buyer.asked(reference, said)
    before = buyer.get(reference), buyer.phases(reference)
    assert buyer.answered(claimed, NOT_SENT) is None
    assert (buyer.get(reference), buyer.phases(reference)) == before


@pytest.mark.parametrize("first", [SUCCESS, REJECTED, NO_READABLE_ANSWER])
@pytest.mark.parametrize("second", [SUCCESS, REJECTED, NOT_SENT, NO_READABLE_ANSWER])
def test_a_second_answer_to_the_request_changes_nothing(
    buyer: FloatBuyer, first: FloatAnswer, second: FloatAnswer
) -> None:
    reference = in_state(buyer, S.AUTHORISED)
    claimed = buyer.submitting(reference)
    buyer.answered(claimed, first)
    before = buyer.get(reference), buyer.phases(reference)
    assert buyer.answered(claimed, second) is None
    assert (buyer.get(reference), buyer.phases(reference)) == before
    assert buyer.store.count("SELECT count(*) FROM provider_calls") == 1


@pytest.mark.parametrize("first", [SUCCESS, FAILED])
@pytest.mark.parametrize("second", [SUCCESS, FAILED, OPEN, SILENCE])
def test_a_second_word_of_the_status_query_changes_nothing(
    buyer: FloatBuyer, first: StatusAnswer, second: StatusAnswer
) -> None:
    reference = in_state(buyer, S.UNKNOWN)
    claimed = buyer.get(reference)
    buyer.asked(reference, first)
    before = buyer.get(reference), buyer.phases(reference)
    assert buyer.told(claimed, second) is None
    assert (buyer.get(reference), buyer.phases(reference)) == before


def test_a_claim_that_was_lost_sends_nothing(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.AUTHORISED)
    late = buyer.claim(reference)
    buyer.restart()
    newer = buyer.claim(reference)
    assert buyer.begin(late) is None
    assert buyer.begin(newer) is not None
    assert buyer.begin(newer) is None


def test_a_late_not_sent_moves_nothing(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.AUTHORISED)
    late = buyer.claim(reference)
    buyer.restart()
    buyer.submitting(reference)
    before = buyer.get(reference)
    assert buyer.answered(late, NOT_SENT) is None
    assert buyer.get(reference) == before


def test_the_request_asks_for_what_was_quoted(buyer: FloatBuyer) -> None:
    submitting = buyer.submitting(in_state(buyer, S.AUTHORISED))
    order = float_settlement.order(submitting)
    assert (order.reference, order.amount) == (submitting.reference, AMOUNT)
    assert (order.short_code, order.phone) == ("400187", buyer.person.phone)
    assert order.ordered_at == buyer.store.now


# Status queries ---------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [OPEN, SILENCE])
def test_the_bank_is_asked_at_the_set_ages_then_hourly_then_daily(
    buyer: FloatBuyer, answer: StatusAnswer
) -> None:
    reference = in_state(buyer, S.UNKNOWN)
    began, ages = buyer.store.now, []
    for _ in range(6 + 24 + 3):
        assert buyer.asked(reference, answer) is None
        ages.append(buyer.store.now - began)
    seconds = [15, *(60 * n for n in (1, 2, 5, 10, 30)), *(3600 * n for n in range(1, 25))]
    days = [timedelta(days=n) for n in (2, 3, 4)]
    assert ages == [timedelta(seconds=n) for n in seconds] + days
    assert buyer.get(reference).state is S.UNKNOWN
    assert buyer.available() < 3_000_000


def test_an_unknown_one_may_be_asked_about_at_once_and_only_that(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.UNKNOWN)
    asked = buyer.store.do(lambda tx: float_settlement.query_now(tx, reference))
    assert asked is not None
    assert asked.due_at == buyer.store.now
    assert buyer.asked(reference, SUCCESS) is not None
    assert buyer.store.do(lambda tx: float_settlement.query_now(tx, reference)) is None


@pytest.mark.parametrize("state", [s for s in S if s is not S.UNKNOWN])
def test_nothing_else_is_asked_about(buyer: FloatBuyer, state: PurchaseState) -> None:
    reference = in_state(buyer, state)
    before = buyer.get(reference)
    assert buyer.store.do(lambda tx: float_settlement.query_now(tx, reference)) is None
    assert buyer.get(reference) == before


def test_a_late_question_does_not_move_the_schedule(buyer: FloatBuyer) -> None:
    reference = in_state(buyer, S.UNKNOWN)
    buyer.store.wait(seconds=15)
    late = buyer.claim(reference)
    buyer.store.now += LEASE
    buyer.claim(reference)
    before = buyer.get(reference)
    assert buyer.told(late, OPEN) is None
    assert buyer.get(reference) == before
    assert buyer.told(late, SUCCESS) is not None


def test_each_outcome_has_its_evidence(buyer: FloatBuyer) -> None:
    references = [in_state(buyer, state) for state in (S.FAILED, S.UNKNOWN)]
    buyer.asked(references[1], SUCCESS)
    every = "SELECT operation, kind, source FROM evidence ORDER BY id"
    rows = buyer.store.conn.execute(every).fetchall()
    assert rows == [
        (references[0], "failed", "ncba.float"),
        (references[1], "unknown", "ncba.float"),
        (references[1], "succeeded", "ncba.status"),
    ]
