"""What a partner's system may pay, where scripts cannot tell it apart."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.simulation.daraja.payees import parse_payee
from tests.integration.http.api.test_answers_conform import check
from tests.kit.api_caller import KEY, ApiCaller
from tests.kit.paying_system import PAYEE, PayingSystem


@pytest.fixture
async def system(caller: ApiCaller) -> PayingSystem:
    system = PayingSystem(caller)
    await system.fund()
    return system


async def test_every_answer_is_as_documented(system: PayingSystem) -> None:
    caller = system.caller
    check(await caller.post("/v1/quotes", {"kind": "payout", "amount": 1500}))
    assert check(await system.pay(1500)).json()["code"] == "otp_required"
    reference, code = await system.code_for(1500)
    with_code = {"otp_reference": reference, "otp_code": code}
    assert check(await system.pay(1600, **with_code)).json()["code"] == "otp_wrong"
    paid = check(await system.pay(1500, **with_code, client_reference="payroll-11"))
    assert paid.status_code == 202
    await caller.world.advance(10)
    seen = check(await caller.get(f"/v1/payouts/{reference}"))
    assert seen.json() == await caller.operation(reference)
    assert seen.json()["status"] == "paid"
    await system.may_pay("20000.00")
    again = check(await system.pay(1500))
    assert (again.status_code, again.json()["reference"]) == (409, reference)
    check(await caller.get("/v1/transactions?kind=payout"))
    check(await caller.get("/v1/events"))
    check(await system.pay(90_001))
    assert check(await caller.get("/v1/payouts/PO-222222")).status_code == 404


async def test_payouts_at_once_do_not_go_over_the_ceiling_together(system: PayingSystem) -> None:
    await system.may_pay("3000.00")
    answers = await system.pay_at_once(
        *((1000, f"07220001{number:02}", f"payroll-11-at-once-{number}") for number in range(8))
    )
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [202] * 3 + [409] * 5
    assert await system.caller.violations() == []


async def test_the_same_request_at_once_pays_once(system: PayingSystem) -> None:
    await system.may_pay("20000.00")
    answers = await system.pay_at_once(*[(1500, PAYEE, KEY)] * 4)
    await system.caller.world.advance(10)
    assert len({answer.content for answer in answers}) == 1
    assert system.caller.world.daraja.calls("payout") == 1


async def test_what_went_without_a_code_waits_for_none(system: PayingSystem) -> None:
    await system.may_pay("20000.00")
    reference = (await system.pay(1500)).json()["reference"]
    with_code = {"otp_reference": reference, "otp_code": "123456"}
    another = await system.caller.post("/v1/otp/generate", {"reference": reference})
    used = await system.pay(1500, **with_code)
    checked = await system.caller.post(
        "/v1/otp/validate", {"reference": reference, "otp_code": "123456"}
    )
    status = await system.caller.get(f"/v1/otp/status?reference={reference}")
    assert [another.json()["code"], used.json()["code"]] == ["otp_wrong", "otp_wrong"]
    assert [checked.status_code, status.status_code] == [404, 404]


async def test_the_admins_see_which_key_began_it(system: PayingSystem) -> None:
    """Nobody's number is there to show."""
    await system.may_pay("20000.00")
    reference = (await system.pay(1500)).json()["reference"]
    payout = await system.caller.world.app.database.read(lambda tx: tx.payouts.get(reference))
    assert payout is not None
    assert (payout.person_id, payout.phone, payout.address) == (None, None, system.key_id)


async def test_another_key_has_a_ceiling_of_its_own(system: PayingSystem) -> None:
    await system.may_pay("20000.00")
    other = await system.caller.make_key("DUKA")
    body = {"amount": 100, "phone_number": PAYEE}
    headers = {"x-api-key": other, "idempotency-key": KEY}
    refused = await system.caller.send("POST", "/v1/payouts", json=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "otp_required")


async def test_payouts_with_a_code_count_under_the_ceiling_too(system: PayingSystem) -> None:
    await system.may_pay("2000.00")
    reference, code = await system.code_for(1500)
    with_code = {"otp_reference": reference, "otp_code": code}
    assert (await system.pay(1500, **with_code)).status_code == 202
    assert (await system.pay(501, "0722000222")).json()["code"] == "otp_required"
    assert (await system.pay(500, "0722000222")).status_code == 202


async def test_a_code_that_another_key_asked_for_may_be_used(system: PayingSystem) -> None:
    """Keys of one partner are its own affair, as for float."""
    reference, code = await system.code_for(1500)
    other = await system.caller.make_key("DUKA")
    body = {"amount": 1500, "phone_number": PAYEE, "otp_reference": reference, "otp_code": code}
    headers = {"x-api-key": other, "idempotency-key": KEY}
    paid = await system.caller.send("POST", "/v1/payouts", json=body, headers=headers)
    assert paid.status_code == 202


@pytest.mark.parametrize(
    ("remarks", "is_taken"),
    [
        ("ab", True),
        ("x" * 100, True),
        ("Wages (Nov) #4; 50% @ 'till 3'", True),
        ("a", False),
        ("", False),
        ("x" * 101, False),
        ("a & b", False),
        ("<b>", False),
        ('say "so"', False),
        ("Mshahara\nNov", False),
        ("Malipo ya Óscar", False),
        (12, False),
    ],
)
async def test_remarks_are_what_m_pesa_takes(
    system: PayingSystem, remarks: object, is_taken: bool
) -> None:
    await system.may_pay("20000.00")
    answer = await system.pay(1500, remarks=remarks)
    if is_taken:
        assert (answer.status_code, answer.json()["remarks"]) == (202, remarks)
        await system.caller.world.advance(10)
        found = await system.caller.operation(answer.json()["reference"])
        assert found["status"] == "paid"
    else:
        assert answer.status_code == 400
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/remarks"]


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [("x" * 64, True), ("malipo – 11", True), ("", False), ("x" * 65, False), ("a\x00b", False)],
)
async def test_a_client_reference_is_given_back(
    system: PayingSystem, given: str, is_taken: bool
) -> None:
    await system.may_pay("20000.00")
    answer = await system.pay(1500, client_reference=given)
    if is_taken:
        assert (answer.status_code, answer.json()["client_reference"]) == (202, given)
    else:
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/client_reference"]


async def test_what_is_left_out_may_be_null(system: PayingSystem) -> None:
    await system.may_pay("20000.00")
    optional = ("otp_reference", "otp_code", "remarks", "client_reference", "again", "partner_id")
    answer = await system.pay(1500, **dict.fromkeys(optional))
    assert answer.status_code == 202


@pytest.mark.parametrize("status", ["paid", "unknown"])
async def test_no_event_says_a_full_name_and_each_version_has_one(
    system: PayingSystem, status: str
) -> None:
    caller = system.caller
    does = parse_payee("pays BARAKA MFANO SAMPLE" if status == "paid" else "silent")
    caller.world.daraja.set_payee("254722000111", does)
    reference, code = await system.code_for(1500)
    await system.pay(1500, otp_reference=reference, otp_code=code)
    await caller.world.advance(600)
    events = [one for one in await caller.events() if one["data"].get("reference") == reference]
    versions = [event["data"]["version"] for event in events]
    assert versions == list(range(1, len(events) + 1))
    assert events[-1]["type"] == "payout.paid"
    seen = await caller.operation(reference)
    if status == "paid":
        assert seen["recipient_name"] == "BARAKA MFANO SAMPLE"
        assert events[-1]["data"] == {**seen, "recipient_name": "BARAKA M. S."}
    assert "WANJIKU" not in json.dumps(events)


async def test_no_stored_answer_holds_the_code(system: PayingSystem) -> None:
    reference, code = await system.code_for(1500)
    paid = await system.pay(1500, otp_reference=reference, otp_code=code, key=KEY)
    rest = system.caller.world.at_rest()
    assert paid.status_code == 202
    assert json.dumps(code).encode() not in b"".join(rest.values())


DISBURSEMENT: dict[str, Any] = {"purpose": "disbursement", "amount": 1500, "recipient": PAYEE}


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (DISBURSEMENT, None),
        ({**DISBURSEMENT, "reference": None, "payer_phone": None}, None),
        ({**DISBURSEMENT, "recipient": None}, ["/recipient"]),
        ({**DISBURSEMENT, "amount": "1500.50"}, ["/amount"]),
        ({**DISBURSEMENT, "payer_phone": PAYEE}, ["/payer_phone"]),
        ({**DISBURSEMENT, "purpose": "float_purchase"}, ["/recipient"]),
        ({**DISBURSEMENT, "purpose": "wallet_topup", "payer_phone": PAYEE}, ["/recipient"]),
        ({"reference": "PO-222222", "recipient": PAYEE}, ["/recipient"]),
    ],
)
async def test_only_a_payout_has_a_recipient(
    system: PayingSystem, body: dict[str, Any], pointers: list[str] | None
) -> None:
    answer = await system.caller.post("/v1/otp/generate", body)
    if pointers is None:
        assert answer.status_code == 201, answer.text
    else:
        assert answer.status_code == 400
        assert [error["pointer"] for error in answer.json()["errors"]] == pointers
