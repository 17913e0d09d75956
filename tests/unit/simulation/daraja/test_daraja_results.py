"""What the simulated Daraja posts when a payment has ended (facts: Daraja 3, 5 and 6)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from bot.simulation.daraja.tariff import charge_kes
from tests.kit.daraja_caller import ID, PHONE, RESULT_URL, DarajaCaller


async def test_a_result_comes_after_three_seconds_to_the_address_of_the_request(
    caller: DarajaCaller,
) -> None:
    caller.payee("pays Amina Mfano")
    acknowledged = (await caller.pay()).json()
    await caller.wait(2)
    assert caller.posted == []
    await caller.wait(1)
    ((url, body),) = caller.posted
    assert url == RESULT_URL
    result = body["Result"]
    receipt = result["TransactionID"]
    assert re.fullmatch(r"[A-Z][A-Z0-9]{9}", receipt)
    assert any(character.isdigit() for character in receipt)
    reference = result.pop("ReferenceData")["ReferenceItem"]
    assert reference["Key"] == "QueueTimeoutURL"
    assert result == {
        "ResultType": 0,
        "ResultCode": 0,
        "ResultDesc": "The service request is processed successfully.",
        "OriginatorConversationID": ID,
        "ConversationID": acknowledged["ConversationID"],
        "TransactionID": receipt,
        "ResultParameters": {
            "ResultParameter": [
                {"Key": "TransactionAmount", "Value": 1500},
                {"Key": "TransactionReceipt", "Value": receipt},
                {"Key": "ReceiverPartyPublicName", "Value": f"{PHONE} - AMINA MFANO"},
                # Nairobi is three hours ahead of the world's 06:00:03, and no zone is named.
                {"Key": "TransactionCompletedDateTime", "Value": "02.03.2026 09:00:03"},
                {"Key": "B2CUtilityAccountAvailableFunds", "Value": 998_500.0},
                {"Key": "B2CWorkingAccountAvailableFunds", "Value": 0.0},
                {"Key": "B2CRecipientIsRegisteredCustomer", "Value": "Y"},
                {"Key": "B2CChargesPaidAccountAvailableFunds", "Value": -5.0},
            ]
        },
    }


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("1", "The balance is insufficient for the transaction."),
        ("2", "Declined due to limit rule: less than the minimum transaction amount."),
        ("3", "Declined due to limit rule: greater than the maximum transaction amount."),
        ("4", "Declined due to limit rule: would exceed daily transfer limit."),
        ("8", "Declined due to limit rule: would exceed the maximum balance."),
        ("11", "The DebitParty is in an invalid state."),
        ("21", "The initiator is not allowed to initiate this request."),
        ("2001", "The initiator information is invalid."),
        ("2028", "The request is not permitted according to product assignment."),
        ("2040", "Credit Party customer type can't be supported by the service."),
        ("8006", "The security credential is locked."),
        ("17", "Internal Failure."),
        ("26", "System busy. The service request is rejected."),
        ("999", "The service request is rejected."),
    ],
)
async def test_a_failure_has_a_code_and_a_text_and_nothing_else(
    caller: DarajaCaller, code: str, text: str
) -> None:
    caller.payee(f"fails {code}")
    result = await caller.paid()
    assert (result["ResultCode"], result["ResultDesc"]) == (int(code), text)
    assert result["TransactionID"]
    assert "ResultParameters" not in result
    assert caller.daraja.paid() == ()
    assert caller.daraja.utility_cents() == 1_000_000_00


async def test_a_code_that_is_no_number_comes_as_text(caller: DarajaCaller) -> None:
    caller.payee("fails SFC_IC0003")
    assert (await caller.paid())["ResultCode"] == "SFC_IC0003"


@pytest.mark.parametrize(
    ("amount", "code"), [(9, 2), (10, 0), (250_000, 0), (250_001, 3), (999_999_999, 3)]
)
async def test_m_pesa_pays_from_10_to_250_000(caller: DarajaCaller, amount: int, code: int) -> None:
    assert (await caller.paid(Amount=amount))["ResultCode"] == code


async def test_what_the_utility_account_does_not_hold_is_not_paid(caller: DarajaCaller) -> None:
    for n in range(4):
        assert (await caller.paid(OriginatorConversationID=f"HZ{n}", Amount=250_000))[
            "ResultCode"
        ] == 0
    assert (await caller.paid(OriginatorConversationID="HZ4", Amount=10))["ResultCode"] == 1
    caller.daraja.raise_utility(10_00)
    assert (await caller.paid(OriginatorConversationID="HZ5", Amount=10))["ResultCode"] == 0
    assert caller.daraja.utility_cents() == 0


async def test_money_promised_to_one_payment_pays_no_other(caller: DarajaCaller) -> None:
    for n in range(5):
        await caller.pay(OriginatorConversationID=f"HZ{n}", Amount=250_000)
    await caller.wait(3)
    assert [result["ResultCode"] for result in caller.results()] == [0, 0, 0, 0, 1]


async def test_money_to_come_pays_from_its_moment(caller: DarajaCaller) -> None:
    caller.daraja.raise_utility(500_00, caller.clock.now() + timedelta(hours=2))
    await caller.wait(7_199)
    assert caller.daraja.utility_cents() == 1_000_000_00
    await caller.wait(1)
    assert caller.daraja.utility_cents() == 1_000_500_00


@pytest.mark.parametrize(
    ("amount", "charge"),
    [
        (10, 0),
        (100, 0),
        (101, 5),
        (1_500, 5),
        (1_501, 9),
        (5_000, 9),
        (5_001, 11),
        (20_000, 11),
        (20_001, 13),
        (250_000, 13),
    ],
)
def test_a_payment_is_charged_by_its_band(amount: int, charge: int) -> None:
    assert charge_kes(amount) == charge


async def test_charges_are_owed_apart_from_the_utility_account(caller: DarajaCaller) -> None:
    await caller.paid(Amount=20_001)
    await caller.paid(OriginatorConversationID="HZ2", Amount=101)
    caller.payee("fails 4")
    await caller.paid(OriginatorConversationID="HZ3", Amount=101)
    assert caller.daraja.charges_paid_cents() == -18_00
    assert caller.daraja.utility_cents() == 1_000_000_00 - 20_102_00


async def test_a_result_that_is_not_taken_is_not_sent_again(caller: DarajaCaller) -> None:
    caller.answers += [503]
    await caller.pay()
    await caller.wait(86_400)
    assert len(caller.posted) == 1
    (payment,) = caller.daraja.paid()
    assert payment.reported_at is None


async def test_a_payment_is_known_to_the_product_once_it_took_the_result(
    caller: DarajaCaller,
) -> None:
    await caller.paid()
    (payment,) = caller.daraja.payments()
    assert payment.reported_at == caller.clock.now()
    assert (payment.amount_kes, payment.charge_kes, payment.phone) == (1500, 5, PHONE)
