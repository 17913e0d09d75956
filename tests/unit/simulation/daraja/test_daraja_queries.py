"""The simulated Daraja is asked about a payment, and about its accounts (facts: Daraja 7)."""

from __future__ import annotations

import pytest

from tests.kit.daraja_caller import CREDENTIALS, ID, PHONE, TIMEOUT_URL, DarajaCaller, values


async def test_a_payment_is_found_by_our_id(caller: DarajaCaller) -> None:
    paid = await caller.paid()
    result = await caller.status(Occasion="why")
    assert result["ResultCode"] == 0
    assert result["OriginatorConversationID"] != ID
    assert result["ConversationID"] != paid["ConversationID"]
    assert result["ReferenceData"] == {"ReferenceItem": {"Key": "Occasion", "Value": "why"}}
    assert result["ResultParameters"]["ResultParameter"] == [
        {"Key": "DebitPartyName", "Value": f"{CREDENTIALS.short_code} - Hazina Simulated"},
        {"Key": "DebitPartyName", "Value": f"{PHONE} - {caller.daraja.name_of(PHONE)}"},
        {"Key": "OriginatorConversationID", "Value": ID},
        {"Key": "InitiatedTime", "Value": "20260302090000"},
        {"Key": "DebitAccountType", "Value": "Utility Account"},
        {"Key": "DebitPartyCharges", "Value": "Fee For B2C Payment|KES|5.00"},
        {"Key": "TransactionReason"},
        {"Key": "ReasonType", "Value": "Business Payment to Customer via API"},
        {"Key": "TransactionStatus", "Value": "Completed"},
        {"Key": "FinalisedTime", "Value": "20260302090003"},
        {"Key": "Amount", "Value": "1500"},
        {"Key": "ConversationID", "Value": paid["ConversationID"]},
        {"Key": "ReceiptNo", "Value": paid["TransactionID"]},
    ]


async def test_a_payment_is_found_by_its_receipt(caller: DarajaCaller) -> None:
    receipt = (await caller.paid())["TransactionID"]
    result = await caller.status(OriginalConversationID="", TransactionID=receipt)
    assert values(result)["OriginatorConversationID"] == ID


async def test_a_payment_that_never_came_is_not_found(caller: DarajaCaller) -> None:
    result = await caller.status()
    assert result["ResultCode"] == 2032
    assert "ResultParameters" not in result


async def test_a_payment_under_way_has_no_end_yet(caller: DarajaCaller) -> None:
    caller.arm("queue-timeout")
    await caller.pay()
    found = values(await caller.status())
    assert (found["TransactionStatus"], found["FinalisedTime"]) == ("Authorized", None)
    assert found["DebitPartyCharges"] == "Fee For B2C Payment|KES|0.00"


async def test_that_a_query_was_answered_says_nothing_of_the_payment(caller: DarajaCaller) -> None:
    caller.payee("fails 8")
    await caller.paid()
    result = await caller.status()
    assert (result["ResultCode"], values(result)["TransactionStatus"]) == (0, "Declined")


async def test_a_payment_is_known_once_a_query_told_of_it(caller: DarajaCaller) -> None:
    caller.payee("silent")
    await caller.pay()
    await caller.wait(3)
    (payment,) = caller.daraja.paid()
    assert payment.reported_at is None
    await caller.status()
    assert payment.reported_at == caller.clock.now()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"Initiator": ""}, "Initiator"),
        ({"CommandID": "AccountBalance"}, "CommandID"),
        ({"IdentifierType": "1"}, "IdentifierType"),
        ({"OriginalConversationID": ""}, "TransactionID"),
        ({"TransactionID": "x"}, "TransactionID"),
        ({"Remarks": ""}, "Remarks"),
        ({"ResultURL": "http://desk.example"}, "ResultURL"),
    ],
)
async def test_a_status_query_in_another_form_is_refused(
    caller: DarajaCaller, changes: dict[str, object], field: str
) -> None:
    answer = await caller.ask_status(**changes)
    assert answer.json()["errorMessage"] == f"Bad Request - Invalid {field}"


async def test_balances_are_one_text_and_the_codes_of_their_result_too(
    caller: DarajaCaller,
) -> None:
    await caller.paid()
    assert (await caller.ask_balance()).json()["ResponseCode"] == "0"
    await caller.wait(3)
    result = caller.results()[-1]
    assert (result["ResultType"], result["ResultCode"]) == ("0", "0")
    assert values(result) == {
        "AccountBalance": "Working Account|KES|0.00|0.00|0.00|0.00"
        "&Utility Account|KES|998500.00|998500.00|0.00|0.00"
        "&Charges Paid Account|KES|-5.00|-5.00|0.00|0.00",
        "BOCompletedTime": "20260302090006",
    }


async def test_a_query_may_fail_without_a_word_of_the_payment(caller: DarajaCaller) -> None:
    await caller.paid()
    caller.arm("says-failed Internal Failure", "payout-status")
    result = await caller.status()
    assert (result["ResultCode"], result["ResultDesc"]) == (17, "Internal Failure")
    assert "ResultParameters" not in result


async def test_a_query_whose_queue_timed_out_is_answered_a_minute_later(
    caller: DarajaCaller,
) -> None:
    await caller.paid()
    caller.arm("queue-timeout", "payout-status")
    await caller.ask_status()
    await caller.wait(3)
    assert caller.posted[-1][0] == TIMEOUT_URL
    await caller.wait(60)
    assert values(caller.results()[-1])["TransactionStatus"] == "Completed"


@pytest.mark.parametrize("shape", ["other-amount", "other-phone", "contradicts", "more-to-come"])
async def test_the_books_know_when_a_payment_was_told_of_clearly(
    caller: DarajaCaller, shape: str
) -> None:
    caller.arm(f"result {shape}")
    await caller.paid()
    (payment,) = caller.daraja.payments()
    assert (payment.told_at, payment.confirmed_at) == (None, None)
    caller.arm(f"result {shape}", "payout-status")
    await caller.status()
    assert payment.told_at is None
    await caller.status()
    assert payment.told_at is not None
    assert payment.confirmed_at == payment.told_at


async def test_a_result_alone_confirms_nothing(caller: DarajaCaller) -> None:
    await caller.paid()
    (payment,) = caller.daraja.payments()
    assert payment.told_at == payment.paid_at
    assert payment.confirmed_at is None
