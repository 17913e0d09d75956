"""The one order of a payout and the questions about it: claims, answers, leases and time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services import payout_freeze, payout_settlement
from services.domain.bank import NoAnswer, NotSent
from services.domain.money import Money
from services.domain.payout import NOT_SENT_EVERY, SILENT_AFTER, PayoutState
from services.domain.payout_answers import Acknowledged, Asked, PayoutAnswer
from tests.kit.payout_payer import (
    AMOUNT,
    CONFIRM_ABOVE,
    CREDENTIAL_LOCKED,
    FLOAT,
    LEASE,
    NO_READABLE_ANSWER,
    NOT_PERMITTED,
    NOT_SENT,
    ORDER_ID,
    OTHER_PAYEE,
    QUERY_ID,
    REFUSED,
    TAKEN,
    PayoutPayer,
    S,
    failed,
    in_state,
    paid,
    status,
)

TOTAL = Money(150_500).cents
LARGE = CONFIRM_ABOVE + Money(100)


def test_a_claim_is_taken_by_one_worker(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.AUTHORISED)
    claimed = payer.claim(reference)
    assert payer.scan() == ([], [])
    assert payer.begin(claimed) is not None
    assert payer.begin(claimed) is None
    assert payer.state(reference) is S.SUBMITTING


def test_an_order_that_never_left_is_tried_for_a_minute(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.AUTHORISED)
    began = payer.store.now
    tried = 0
    while due_at := payer.get(reference).due_at:
        payer.store.now = due_at
        for claimed in payer.scan()[0]:
            submitting = payer.begin(claimed)
            assert submitting is not None
            payer.answered(submitting, NOT_SENT)
            tried += 1
    assert payer.store.now == began + timedelta(seconds=60)
    assert tried == 12
    payout = payer.get(reference)
    assert (payout.state, payout.reason) == (S.RETURNED, "bank_down")
    assert payer.available() == FLOAT.cents


def test_without_a_token_for_a_minute_it_is_returned(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.AUTHORISED)
    claimed = payer.claim(reference)
    payer.store.wait(seconds=60)
    change = payer.answered(claimed, NotSent("token: HTTP 500"))
    assert change is not None
    assert payer.state(reference) is S.RETURNED


def test_a_worker_that_lost_its_claim_moves_nothing(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.AUTHORISED)
    late = payer.claim(reference)
    payer.store.now += LEASE
    payer.scan()
    before = payer.get(reference)
    assert before.state is S.RETURNED  # its minute is over, and nothing was sent
    assert payer.answered(late, NOT_SENT) is None
    assert payer.get(reference) == before


def test_an_order_whose_worker_is_gone_is_unknown(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.SUBMITTING)
    payer.store.now += LEASE
    _, settled = payer.scan()
    assert [change.payout.state for change in settled] == [S.UNKNOWN]
    assert payer.available() == FLOAT.cents - TOTAL
    assert payer.reviews(reference) == ["unknown"]


def test_a_late_answer_that_nothing_left_returns_what_was_unknown(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.SUBMITTING)
    submitting = payer.get(reference)
    payer.store.now += LEASE
    payer.scan()
    change = payer.answered(submitting, NOT_SENT)
    assert change is not None
    assert payer.state(reference) is S.RETURNED
    assert payer.reviews(reference) == []


def test_that_nothing_left_at_one_sending_says_nothing_of_a_later_one(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.AUTHORISED)
    first = payer.claim(reference)
    payer.store.now += LEASE
    payer.store.do(lambda tx: tx.payouts.thaw(payer.person.partner.code))  # a minute more
    payer.submitting(reference)
    payer.store.now += LEASE
    payer.scan()
    assert payer.state(reference) is S.UNKNOWN
    assert payer.answered(first, NOT_SENT) is None
    assert payer.state(reference) is S.UNKNOWN
    assert payer.available() == FLOAT.cents - TOTAL


def test_an_answer_recorded_once_more_says_nothing_of_a_later_sending(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.SUBMITTING)
    first = payer.get(reference)
    payer.answered(first, NOT_SENT)
    payer.store.now += NOT_SENT_EVERY
    payer.submitting(reference)
    payer.store.now += LEASE
    payer.scan()
    assert payer.answered(first, NOT_SENT) is None
    assert payer.state(reference) is S.UNKNOWN


def test_a_late_acknowledgement_leaves_it_unknown_and_brings_its_id(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.SUBMITTING)
    submitting = payer.get(reference)
    payer.store.now += LEASE
    payer.scan()
    assert payer.answered(submitting, TAKEN) is None
    assert payer.state(reference) is S.UNKNOWN
    assert payer.get(reference).conversation_id == ORDER_ID


@pytest.mark.parametrize("state", [S.SUBMITTING, S.UNKNOWN])
def test_a_refusal_of_the_form_returns_it(payer: PayoutPayer, state: PayoutState) -> None:
    reference = in_state(payer, S.SUBMITTING)
    submitting = payer.get(reference)
    if state is S.UNKNOWN:
        payer.store.now += LEASE
        payer.scan()
    change = payer.answered(submitting, REFUSED)
    assert change is not None
    assert not change.pauses
    assert payer.reviews(reference) == ["order_refused"]


def test_a_refusal_after_the_result_changes_nothing(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.SUBMITTING)
    submitting = payer.get(reference)
    payer.says(paid(submitting))
    before = payer.get(reference)
    assert payer.answered(submitting, REFUSED) is None
    assert payer.get(reference) == before


def test_an_unclear_answer_after_the_result_changes_nothing(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.SUBMITTING)
    submitting = payer.get(reference)
    payer.says(paid(submitting))
    assert payer.answered(submitting, NO_READABLE_ANSWER) is None
    assert payer.state(reference) is S.PAID


@pytest.mark.parametrize("second", [TAKEN, REFUSED, NO_READABLE_ANSWER, NOT_SENT])
def test_a_second_answer_changes_nothing(payer: PayoutPayer, second: object) -> None:
    reference = in_state(payer, S.SUBMITTING)
    submitting = payer.get(reference)
    payer.answered(submitting, Acknowledged("AG_first"))
    before = payer.get(reference)
    assert payer.answered(submitting, second) is None  # type: ignore[arg-type]
    assert payer.get(reference) == before


def test_two_minutes_without_a_result_are_unknown_once_and_asked_about(
    payer: PayoutPayer,
) -> None:
    reference = in_state(payer, S.ACCEPTED)
    began = payer.store.now
    payer.asks(reference)
    assert payer.store.now == began + timedelta(minutes=1)
    assert payer.state(reference) is S.ACCEPTED
    payer.store.now = began + SILENT_AFTER
    work, settled = payer.scan()
    assert [change.payout.state for change in settled] == [S.UNKNOWN]
    assert [one.reference for one in work] == [reference]  # and this claim asks
    payer.told(work[0], Asked(QUERY_ID))
    for _ in range(3):
        claimed = payer.asks(reference, NoAnswer("HTTP 500"))
        assert claimed.state is S.UNKNOWN
    assert payer.available() == FLOAT.cents - TOTAL


def test_an_answer_that_comes_a_day_late_is_not_forgotten(payer: PayoutPayer) -> None:
    """The machine slept, or its clock was set."""
    reference = in_state(payer, S.SUBMITTING)
    submitting = payer.get(reference)
    payer.store.now += timedelta(hours=25)
    payer.answered(submitting, TAKEN)
    assert payer.state(reference) is S.ACCEPTED
    _, settled = payer.scan()
    assert [change.payout.state for change in settled] == [S.UNKNOWN]


def test_an_asker_that_comes_a_day_late_leaves_nothing_forgotten(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.ACCEPTED)
    payer.store.wait(minutes=1)
    claimed = payer.claim(reference)
    payer.store.now += timedelta(hours=25)
    payer.told(claimed, Asked(QUERY_ID))
    _, settled = payer.scan()
    assert [change.payout.state for change in settled] == [S.UNKNOWN]


def test_it_is_asked_about_for_a_day_and_stays_on_the_list(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.UNKNOWN)
    began = payer.store.now
    asked = 0
    while payer.get(reference).due_at is not None:
        payer.asks(reference)
        asked += 1
    assert payer.store.now == began + timedelta(hours=24)
    assert asked == 5 + 23
    payer.store.now += timedelta(days=30)
    assert payer.scan() == ([], [])
    assert payer.state(reference) is S.UNKNOWN
    assert payer.reviews(reference) == ["unknown"]
    # Evidence still counts, however late.
    assert payer.says(paid(payer.get(reference))) is not None
    assert payer.state(reference) is S.PAID


def test_a_late_asker_does_not_move_the_schedule(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.UNKNOWN)
    due_at = payer.get(reference).due_at
    assert due_at is not None
    payer.store.now = due_at
    late = payer.claim(reference)
    payer.store.now += LEASE
    newer = payer.claim(reference)
    before = payer.get(reference)
    payer.told(late, Asked("AG_late"))
    assert payer.get(reference) == before
    payer.told(newer, Asked(QUERY_ID))
    assert payer.get(reference).due_at != before.due_at


def test_what_is_over_is_not_asked_about(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.PAID)
    asked = payer.store.do(lambda tx: payout_settlement.query_now(tx, reference))
    assert asked is None
    assert payer.get(reference).due_at is None


def test_while_all_are_paused_nothing_is_sent_nor_returned(payer: PayoutPayer) -> None:
    waiting = payer.authorised(AMOUNT, OTHER_PAYEE, "2")
    claimed = payer.claim(waiting)
    failing = in_state(payer, S.ACCEPTED)
    payer.says(failed(payer.get(failing), NOT_PERMITTED))
    assert payer.begin(claimed) is None
    payer.store.now += timedelta(hours=2)
    assert payer.scan() == ([], [])
    assert payer.state(waiting) is S.AUTHORISED


def test_while_the_credential_is_refused_nothing_is_asked_either(payer: PayoutPayer) -> None:
    """Each use of a wrong credential moves it toward a lock."""
    silent = in_state(payer, S.ACCEPTED)
    failing = payer.submitting(payer.authorised(AMOUNT, OTHER_PAYEE, "2"))
    payer.answered(failing, TAKEN)
    payer.says(failed(payer.get(failing.reference), CREDENTIAL_LOCKED))
    assert payer.store.do(payout_settlement.may_ask_nothing)
    payer.store.now += SILENT_AFTER
    work, settled = payer.scan()
    assert (work, [change.payout.reference for change in settled]) == ([], [silent])
    payer.store.now += timedelta(hours=2)
    assert payer.scan() == ([], [])
    assert payer.state(silent) is S.UNKNOWN
    payer.store.do(lambda tx: payout_freeze.resume_all(tx, "admin:1"))
    assert [payout.reference for payout in payer.scan()[0]] == [silent]


@pytest.mark.parametrize("is_paid", [True, False])
def test_two_admins_resolve_what_is_unknown(payer: PayoutPayer, is_paid: bool) -> None:
    reference = in_state(payer, S.UNKNOWN)
    payout = payer.get(reference)
    reached = S.PAID if is_paid else S.RETURNED
    # The booking itself; that two admins agree is tested where they do.
    payer.store.conn.execute("SAVEPOINT tried")
    change = payer.store.do(
        lambda tx: payout_settlement.resolve(tx, payout, "statement", paid=is_paid)
    )
    assert change.payout.state is reached
    assert payer.available() == FLOAT.cents - (TOTAL if is_paid else 0)
    assert payer.get(reference).receipt is None
    assert payer.reviews(reference) == []
    payer.store.conn.execute("ROLLBACK TO tried")


@pytest.mark.parametrize("answer", [REFUSED, NOT_SENT])
@pytest.mark.parametrize("is_late", [False, True])
def test_no_answer_of_the_gateway_outweighs_a_payment_that_mpesa_claims(
    payer: PayoutPayer, answer: PayoutAnswer, is_late: bool
) -> None:
    """A large payment was told before the gateway answered, and waits to be confirmed."""
    reference = in_state(payer, S.SUBMITTING, LARGE)
    submitting = payer.get(reference)
    payer.says(paid(submitting))
    if is_late:
        payer.store.now += LEASE
        payer.scan()
    held = payer.available()
    change = payer.answered(submitting, answer)
    assert payer.state(reference) is S.UNKNOWN
    assert (change is None) == is_late  # told once
    assert payer.available() == held
    assert payer.reviews(reference) == ["contradicted", "unknown"]
    payer.asks(reference)
    payer.says(status(payer.get(reference)))
    assert payer.state(reference) is S.PAID
