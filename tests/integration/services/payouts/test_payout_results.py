"""What M-PESA posts about payouts: which payout it is about, and what it may change."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from services.domain.bank import NoAnswer
from services.domain.money import Money
from services.domain.payout import Payout
from services.domain.payout_answers import Acknowledged, Asked
from services.payout_results import NEVER_SENT, NOT_OURS
from tests.kit.payout_payer import (
    AMOUNT,
    CONFIRM_ABOVE,
    NOT_PERMITTED,
    ORDER_ID,
    OTHER_PAYEE,
    OTHER_RECEIPT,
    QUERY_ID,
    RECEIPT,
    TAKEN,
    PayoutPayer,
    S,
    failed,
    in_state,
    occasion,
    paid,
    status,
    wire,
)

LARGE = CONFIRM_ABOVE + Money(100)


def concluded(payer: PayoutPayer) -> list[tuple[str | None, str, int]]:
    """Of each message that came: the payout, what was made of it, and how often it came."""
    rows = payer.store.conn.execute(
        "SELECT operation, concluded, times FROM payout_messages ORDER BY id"
    )
    return list(rows)


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"[]", b"{}", b'{"Result": 1}', b'{"Result": {}}', b"{" * 5_000]
)
def test_what_cannot_be_read_is_kept_and_changes_nothing(payer: PayoutPayer, body: bytes) -> None:
    reference = in_state(payer, S.ACCEPTED)
    assert payer.post(body) is None
    assert concluded(payer) == [(None, "cannot be read", 1)]
    assert payer.state(reference) is S.ACCEPTED


def test_the_same_bytes_again_are_counted_and_change_nothing(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.ACCEPTED)
    body = wire(paid(payer.get(reference)))
    assert payer.post(body) is not None
    assert payer.post(body) is None
    assert concluded(payer) == [(reference, f"paid, receipt {RECEIPT}", 2)]
    assert payer.reviews(reference) == []


def test_the_same_payment_in_other_bytes_changes_nothing(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.PAID)
    before = payer.get(reference)
    assert payer.says(paid(before, ResultDesc="Processed successfully.")) is None
    assert payer.get(reference) == before
    assert payer.reviews(reference) == []


@pytest.mark.parametrize("answer", [paid, failed, status])
def test_a_result_that_names_nothing_of_ours_is_kept(
    payer: PayoutPayer, answer: Callable[..., dict[str, Any]]
) -> None:
    reference = in_state(payer, S.ACCEPTED)
    ids = {"OriginatorConversationID": "b2c-1", "ConversationID": "AG_of_somebody_else"}
    assert payer.says(answer(payer.get(reference), **ids)) is None
    assert concluded(payer) == [(None, NOT_OURS, 1)]
    assert payer.state(reference) is S.ACCEPTED


def test_ids_of_two_payouts_name_neither(payer: PayoutPayer) -> None:
    first = in_state(payer, S.ACCEPTED)
    second = payer.authorised(Money(200_000), OTHER_PAYEE, "2")
    payer.answered(payer.submitting(second), Acknowledged("AG_second"))
    assert payer.says(paid(payer.get(second), ConversationID=ORDER_ID)) is None
    assert concluded(payer) == [(None, NOT_OURS, 1)]
    assert payer.state(first) is payer.state(second) is S.ACCEPTED


def test_an_id_that_mpesa_gave_to_two_orders_names_neither(payer: PayoutPayer) -> None:
    first = in_state(payer, S.ACCEPTED)
    second = payer.authorised(AMOUNT, OTHER_PAYEE, "2")
    payer.answered(payer.submitting(second), TAKEN)
    assert payer.says(paid(payer.get(first), OriginatorConversationID="gateway-1")) is None
    assert concluded(payer) == [(None, NOT_OURS, 1)]
    assert payer.says(paid(payer.get(second))) is not None
    assert (payer.state(first), payer.state(second)) == (S.ACCEPTED, S.PAID)


@pytest.mark.parametrize(
    "ids", [{"OriginatorConversationID": "gateway-1"}, {"ConversationID": "AG_other"}, {}]
)
def test_either_id_is_enough_for_a_payment(payer: PayoutPayer, ids: dict[str, str]) -> None:
    reference = in_state(payer, S.ACCEPTED)
    assert payer.says(paid(payer.get(reference), **ids)) is not None
    assert payer.get(reference).receipt == RECEIPT


@pytest.mark.parametrize(
    "changes",
    [
        {"TransactionAmount": 1_501},
        {"TransactionAmount": "1500.01"},
        {"ReceiverPartyPublicName": "254733000222 - ASHA EXAMPLE"},
        {"TransactionReceipt": OTHER_RECEIPT, "TransactionID": RECEIPT},
        {"TransactionReceipt": "", "TransactionID": ""},
        {"ResultType": 1},
        {"ResultDesc": "The request timed out."},
    ],
)
def test_what_is_not_what_was_ordered_pays_nothing(
    payer: PayoutPayer, changes: dict[str, Any]
) -> None:
    reference = in_state(payer, S.ACCEPTED)
    before = payer.get(reference)
    given = paid(before)
    listed = given["ResultParameters"]["ResultParameter"]
    for one in listed:
        one["Value"] = changes.get(one["Key"], one["Value"])
    heads = {key: value for key, value in changes.items() if key in given}
    assert payer.says(given | heads) is None
    assert payer.get(reference) == before


# What was not sent yet --------------------------------------------------------------------------


def test_a_payment_of_what_was_never_sent_moves_nothing_and_alarms(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.AUTHORISED)
    before = payer.get(reference)
    assert payer.says(paid(before)) is None
    assert payer.get(reference) == before
    assert payer.reviews(reference) == ["contradicted"]


def test_a_failure_of_what_was_never_sent_is_kept_and_does_nothing(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.AUTHORISED)
    before = payer.get(reference)
    assert payer.says(failed(before)) is None
    assert payer.get(reference) == before
    assert concluded(payer)[0][1].startswith(NEVER_SENT)


@pytest.mark.parametrize(("answer", "state"), [(paid, S.PAID), (failed, S.RETURNED)])
def test_a_result_may_overtake_the_answer_to_the_order(
    payer: PayoutPayer, answer: Callable[[Payout], dict[str, Any]], state: S
) -> None:
    reference = in_state(payer, S.SUBMITTING)
    submitting = payer.get(reference)
    assert payer.says(answer(submitting)) is not None
    assert payer.state(reference) is state
    assert payer.answered(submitting, TAKEN) is None
    assert payer.state(reference) is state
    assert payer.get(reference).conversation_id == ORDER_ID


# Failures ---------------------------------------------------------------------------------------


def test_a_failure_of_the_order_returns_it(payer: PayoutPayer) -> None:
    before = payer.available()
    reference = in_state(payer, S.RETURNED)
    assert payer.available() == before
    assert payer.get(reference).reason == "not_registered"
    assert not payer.is_paused()


def test_a_failure_of_our_account_pauses_all(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.ACCEPTED)
    change = payer.says(failed(payer.get(reference), NOT_PERMITTED))
    assert change is not None
    assert change.pauses
    assert payer.is_paused()
    assert payer.reviews(reference) == ["not_permitted"]


def test_a_failure_under_another_id_of_mpesas_is_not_the_orders(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.ACCEPTED)
    assert payer.says(failed(payer.get(reference), ConversationID="AG_other")) is None
    assert payer.state(reference) is S.ACCEPTED


def test_a_failure_without_the_orders_id_counts_while_nobody_has_asked(
    payer: PayoutPayer,
) -> None:
    reference = in_state(payer, S.UNKNOWN)
    assert payer.says(failed(payer.get(reference))) is not None
    assert payer.state(reference) is S.RETURNED


@pytest.mark.parametrize("answer", [Asked(QUERY_ID), NoAnswer("read timeout")])
@pytest.mark.parametrize("code", ["21", "2001", "2040", "1"])
def test_a_failure_that_may_be_a_querys_is_never_the_payments(
    payer: PayoutPayer, answer: Asked | NoAnswer, code: str
) -> None:
    reference = in_state(payer, S.UNKNOWN)
    payer.asks(reference, answer)
    held = payer.available()
    for ids in (
        {"ConversationID": QUERY_ID},
        {"ConversationID": "AG_lost"},
        {"ConversationID": "AG_lost", **occasion(payer.get(reference))},
        {"ConversationID": ""},
        {"ConversationID": QUERY_ID, "OriginatorConversationID": "gateway-1"},
        {"OriginatorConversationID": "gateway-1", **occasion(payer.get(reference))},
    ):
        assert payer.says(failed(payer.get(reference), code, **ids)) is None
        assert payer.state(reference) is S.UNKNOWN
    assert payer.available() == held
    assert not payer.is_paused()


def test_a_querys_failure_that_overtakes_its_answer_is_not_the_payments(
    payer: PayoutPayer,
) -> None:
    reference = in_state(payer, S.UNKNOWN)
    payout = payer.get(reference)
    assert payer.says(failed(payout, ConversationID=QUERY_ID, **occasion(payout))) is None
    assert payer.state(reference) is S.UNKNOWN


def test_a_failure_after_the_payment_changes_nothing_and_alarms(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.PAID)
    before = payer.get(reference)
    assert payer.says(failed(before)) is None
    assert payer.get(reference) == before
    assert payer.reviews(reference) == ["contradicted"]


def test_a_failure_again_changes_nothing(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.RETURNED)
    before = payer.get(reference)
    assert payer.says(failed(before, "8")) is None
    assert payer.get(reference) == before
    assert payer.reviews(reference) == []


# Receipts ---------------------------------------------------------------------------------------


def test_a_receipt_that_another_payout_has_pays_nothing(payer: PayoutPayer) -> None:
    in_state(payer, S.PAID)
    second = payer.authorised(Money(200_000), OTHER_PAYEE, "2")
    payer.answered(payer.submitting(second), Acknowledged("AG_second"))
    assert payer.says(paid(payer.get(second), RECEIPT, ConversationID="AG_second")) is None
    assert payer.state(second) is S.ACCEPTED
    assert payer.reviews(second) == ["contradicted"]


@pytest.mark.parametrize("amount", [AMOUNT, LARGE])
def test_a_second_payment_of_one_payout_moves_nothing_and_alarms(
    payer: PayoutPayer, amount: Money
) -> None:
    reference = in_state(payer, S.PAID, amount)
    before = payer.get(reference)
    assert payer.says(paid(before, OTHER_RECEIPT)) is None
    assert payer.get(reference) == before
    assert payer.reviews(reference) == ["contradicted"]


def test_it_alarms_again_after_admins_have_looked(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.PAID)
    payout = payer.get(reference)
    payer.says(failed(payout))
    payer.store.do(lambda tx: tx.evidence.close_reviews(reference))
    payer.says(paid(payout, OTHER_RECEIPT))
    assert payer.reviews(reference) == ["contradicted"]


@pytest.mark.parametrize("amount", [AMOUNT, LARGE])
def test_a_payment_after_the_return_is_owed_whatever_its_amount(
    payer: PayoutPayer, amount: Money
) -> None:
    reference = in_state(payer, S.RETURNED, amount)
    payout = payer.get(reference)
    change = payer.says(paid(payout))
    assert change is not None
    assert payer.state(reference) is S.PAID_AFTER_RETURN
    assert payer.owed() == payout.quote.total.cents
    assert payer.reviews(reference) == ["paid_after_return"]
    # A further failure does not undo it.
    assert payer.says(failed(payout, "8")) is None
    assert payer.state(reference) is S.PAID_AFTER_RETURN


# Amounts for which a Result is not enough -------------------------------------------------------


def test_a_large_payment_is_asked_about_at_once(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.ACCEPTED, LARGE)
    payout = payer.get(reference)
    assert payer.says(paid(payout)) is None
    assert payer.state(reference) is S.ACCEPTED
    assert payer.get(reference).due_at == payer.store.now
    payer.asks(reference)
    assert payer.says(status(payout)) is not None
    assert payer.get(reference).receipt == RECEIPT


def test_a_large_payment_told_before_the_answer_is_asked_about_once_it_came(
    payer: PayoutPayer,
) -> None:
    reference = in_state(payer, S.SUBMITTING, LARGE)
    submitting = payer.get(reference)
    assert payer.says(paid(submitting)) is None
    assert payer.get(reference).due_at == submitting.due_at
    payer.answered(submitting, TAKEN)
    assert payer.get(reference).due_at == payer.store.now


def test_a_failure_after_a_claimed_payment_releases_nothing(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.ACCEPTED, LARGE)
    payout = payer.get(reference)
    payer.says(paid(payout))
    held = payer.available()
    assert payer.says(failed(payout)) is None
    assert payer.state(reference) is S.ACCEPTED
    assert payer.available() == held
    assert payer.reviews(reference) == ["contradicted"]


def test_the_mark_itself_needs_no_question(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.ACCEPTED, CONFIRM_ABOVE)
    assert payer.says(paid(payer.get(reference))) is not None
    assert payer.state(reference) is S.PAID


# Questions --------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [S.ACCEPTED, S.UNKNOWN])
def test_a_completed_payment_found_by_a_question_is_paid(payer: PayoutPayer, state: S) -> None:
    reference = in_state(payer, state)
    payer.asks(reference)
    assert payer.says(status(payer.get(reference))) is not None
    assert payer.state(reference) is S.PAID


def test_the_answer_to_a_question_whose_id_was_lost_is_known_by_its_occasion(
    payer: PayoutPayer,
) -> None:
    reference = in_state(payer, S.UNKNOWN)
    payer.asks(reference, NoAnswer("read timeout"))
    payout = payer.get(reference)
    given = status(payout, ConversationID="AG_lost") | occasion(payout)
    assert payer.says(given) is not None
    assert payer.state(reference) is S.PAID


@pytest.mark.parametrize(
    "changes",
    [
        {"_TransactionStatus": "Failed"},
        {"_TransactionStatus": "Declined"},
        {"_Amount": 1_501},
        {"_DebitPartyName": "254733000222 - ASHA EXAMPLE"},
        {"_OriginatorConversationID": "HZPO222222", "_ConversationID": "AG_other"},
        {"_ReceiptNo": ""},
        {"ResultCode": "2032"},
        {"ResultCode": "21"},
        {"ResultType": 1},
    ],
)
def test_an_answer_that_does_not_prove_the_payment_changes_nothing(
    payer: PayoutPayer, changes: dict[str, Any]
) -> None:
    reference = in_state(payer, S.UNKNOWN)
    payer.asks(reference)
    before = payer.get(reference)
    assert payer.says(status(before, **changes)) is None
    assert payer.get(reference) == before


# Not processed in time --------------------------------------------------------------------------


def test_an_order_not_processed_in_time_is_unknown_and_asked_about(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.ACCEPTED)
    held = payer.available()
    change = payer.time_out(failed(payer.get(reference), "1037"))
    assert change is not None
    assert payer.state(reference) is S.UNKNOWN
    assert payer.available() == held
    assert payer.get(reference).due_at == payer.store.now


@pytest.mark.parametrize("state", [S.SUBMITTING, S.UNKNOWN, S.PAID, S.RETURNED])
def test_not_processed_in_time_changes_nothing_else(payer: PayoutPayer, state: S) -> None:
    reference = in_state(payer, state)
    before = payer.get(reference)
    assert payer.time_out(failed(before, "1037")) is None
    assert payer.get(reference) == before


def test_a_question_not_processed_in_time_changes_nothing(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.ACCEPTED)
    payer.asks(reference)
    before = payer.get(reference)
    ids = {"ConversationID": QUERY_ID, "OriginatorConversationID": "gateway-1"}
    assert payer.time_out(failed(before, "1037", **ids)) is None
    assert payer.get(reference) == before
    assert concluded(payer) == [(reference, "not processed in time", 1)]


def test_a_payment_posted_as_not_processed_in_time_pays_nothing(payer: PayoutPayer) -> None:
    reference = in_state(payer, S.ACCEPTED)
    payer.time_out(paid(payer.get(reference)))
    assert payer.state(reference) is S.UNKNOWN


def test_an_answer_to_no_query_of_ours_is_not_read_as_one(payer: PayoutPayer) -> None:
    """Balances are answered at the same address."""
    balance = {"ResultType": 0, "ResultCode": 0, "ResultDesc": "ok", "ConversationID": "AG_b"}
    assert payer.post(json.dumps({"Result": balance}).encode()) is None
    assert concluded(payer) == [(None, NOT_OURS, 1)]
