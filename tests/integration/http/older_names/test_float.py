from __future__ import annotations

from bot.simulation.faults import Fault, FaultKind
from tests.kit.older_desk import WALLET, OlderDesk, refused

KEY = "a-key-of-16-signs"
BUY = f"{WALLET}/float/purchase"


async def test_sums_with_cents_are_numbers_with_cents(desk: OlderDesk) -> None:
    reference, code = await desk.float_code(2001)
    answer = await desk.post(
        BUY,
        float_amount=2001,
        otp_reference=reference,
        otp_code=code,
        transfer_fee=25,
        processing_fee="10.01",
    )
    assert answer.json() == {
        "success": True,
        "transactionId": reference,
        "reference": reference,
        "floatAmount": 2001,
        "totalAmount": 2036.01,
        "newWalletBalance": 47963.99,
    }
    assert '"totalAmount":2036.01,' in answer.text


async def test_float_is_told_in_all_and_by_its_last_purchase(desk: OlderDesk) -> None:
    for amount in (5000, 1000):
        reference, code = await desk.float_code(amount)
        body = {"float_amount": amount, "otp_reference": reference, "otp_code": code}
        assert (await desk.post(BUY, **body)).status_code == 200
        await desk.world.advance(30)
    bought = (await desk.get(f"{WALLET}/balance")).json()["b2cFloat"]
    assert bought.pop("lastPurchaseDate").endswith("Z")
    assert bought == {
        "currentFloatBalance": 6000,
        "lastPurchaseAmount": 1000,
        "totalPurchased": 6000,
        "totalUsed": 0,
    }
    assert (await desk.get(f"{WALLET}/balance", "SOKO")).json()["b2cFloat"] is None


async def test_fees_that_differ_from_the_quote_are_refused(desk: OlderDesk) -> None:
    reference, code = await desk.float_code()
    body = {"float_amount": 5000, "otp_reference": reference, "otp_code": code}
    problem = refused(await desk.post(BUY, **body, transfer_fee=999), 409, "quote_changed")
    assert problem["quote"]["amount"] == "5000.00"
    assert (await desk.post(BUY, **body)).status_code == 200


async def test_a_purchase_is_replayed_to_the_letter(desk: OlderDesk) -> None:
    reference, code = await desk.float_code()
    body = {"float_amount": 5000, "otp_reference": reference, "otp_code": code}
    first = await desk.post(BUY, key=KEY, **body)
    await desk.world.advance(30)
    again = await desk.post(BUY, key=KEY, **body)
    assert (again.status_code, again.content) == (200, first.content)


async def test_another_amount_than_the_codes_is_refused(desk: OlderDesk) -> None:
    reference, code = await desk.float_code()
    answer = await desk.post(BUY, float_amount=5001, otp_reference=reference, otp_code=code)
    assert refused(answer, 409, "otp_wrong")["remaining_attempts"] == 3


async def test_a_float_amount_is_named_as_it_was_sent(desk: OlderDesk) -> None:
    answer = await desk.post(BUY, float_amount=10.5, otp_reference="FL-7K3QF9", otp_code="123456")
    assert refused(answer, 400, "invalid_request")["errors"][0]["pointer"] == "/float_amount"


async def test_another_partners_code_buys_nothing(desk: OlderDesk) -> None:
    reference, code = await desk.float_code()
    body = {"float_amount": 5000, "otp_reference": reference, "otp_code": code}
    refused(await desk.post(BUY, "SOKO", **body), 404, "not_found")


async def test_money_that_is_held_is_not_in_the_balance(desk: OlderDesk) -> None:
    desk.world.bank.arm(Fault(FaultKind.TIMEOUT_BEFORE), "float")
    reference, code = await desk.float_code()
    answer = await desk.post(BUY, float_amount=5000, otp_reference=reference, otp_code=code)
    await desk.world.advance(60)
    balance = (await desk.get(f"{WALLET}/balance")).json()
    assert balance["wallet"]["currentBalance"] == answer.json()["newWalletBalance"] == 44_950
    assert balance["b2cFloat"] is None
