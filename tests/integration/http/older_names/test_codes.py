from __future__ import annotations

from pathlib import Path

import pytest

from services import approvals
from services.domain.approval import Decision
from services.domain.refusal import Refusal
from services.policy import Policy
from storage.transaction import StoreTx
from tests.kit.older_desk import (
    OPERATOR_PHONE,
    OTP,
    OWNER_MAIL,
    OWNER_PHONE,
    WALLET,
    OlderDesk,
    refused,
)

KEY = "a-key-of-16-signs"
GENERATE, VALIDATE = f"{OTP}/generate", f"{OTP}/validate"
FLOAT = {
    "purpose": "float_purchase",
    "amount": 5000,
    "phone_number": OWNER_PHONE,
    "email_address": OWNER_MAIL,
}


async def test_a_code_goes_to_the_registered_addresses(desk: OlderDesk) -> None:
    answer = (await desk.post(GENERATE, **FLOAT)).json()
    assert answer.pop("expiresAt").endswith("Z")
    assert answer.pop("reference").startswith("FL-")
    assert answer == {
        "success": True,
        "purpose": "float_purchase",
        "amount": 5000,
        "phoneNumber": "2547*****678",
        "emailAddress": "w…@duka.example",
        "maxAttempts": 3,
        "expiryMinutes": 10,
    }


async def test_who_the_caller_says_it_is_does_not_matter(desk: OlderDesk) -> None:
    assert (await desk.post(GENERATE, **FLOAT, user_id="njoki")).status_code == 200
    await desk.world.settle()
    assert OPERATOR_PHONE not in desk.world.sms.texts


async def test_an_address_of_the_callers_choice_gets_no_code(desk: OlderDesk) -> None:
    answer = await desk.post(GENERATE, **{**FLOAT, "phone_number": "0799999999"})
    refused(answer, 403, "otp_address_unknown")


async def test_codes_for_disbursements_are_not_sent_yet(desk: OlderDesk) -> None:
    answer = await desk.post(GENERATE, **{**FLOAT, "purpose": "disbursement"})
    assert refused(answer, 400, "invalid_request")["errors"][0]["pointer"] == "/purpose"


async def test_a_replay_sends_no_second_code(desk: OlderDesk) -> None:
    first = await desk.post(GENERATE, key=KEY, **FLOAT)
    again = await desk.post(GENERATE, key=KEY, **FLOAT)
    assert again.content == first.content
    await desk.world.settle()
    assert len(desk.world.sms.texts[OWNER_PHONE]) == 1


async def test_a_right_code_is_valid_and_can_be_used(desk: OlderDesk) -> None:
    reference, code = await desk.float_code()
    answer = (await desk.post(VALIDATE, reference=reference, otp_code=code)).json()
    assert (answer["valid"], answer["remainingAttempts"]) == (True, 2)
    assert answer["otp"]["validatedAt"] is not None
    assert (answer["otp"]["purpose"], answer["otp"]["amount"]) == ("float_purchase", 5000)


async def test_a_wrong_code_is_an_answer_until_it_is_locked(desk: OlderDesk) -> None:
    reference, code = await desk.float_code()
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    answers = [
        (await desk.post(VALIDATE, reference=reference, otp_code=wrong)).json() for _ in range(4)
    ]
    assert [answer["valid"] for answer in answers] == [False] * 4
    assert [answer["remainingAttempts"] for answer in answers] == [2, 1, 0, 0]
    statuses = [answer["otp"]["status"] for answer in answers]
    assert statuses == ["pending", "pending", "locked", "locked"]


async def test_an_expired_code_is_not_valid(desk: OlderDesk) -> None:
    reference, code = await desk.float_code()
    await desk.world.advance(601)
    answer = (await desk.post(VALIDATE, reference=reference, otp_code=code)).json()
    assert (answer["success"], answer["valid"], answer["otp"]["isExpired"]) == (True, False, True)


async def test_a_used_code_is_not_valid(desk: OlderDesk) -> None:
    reference, code = await desk.float_code()
    body = {"float_amount": 5000, "otp_reference": reference, "otp_code": code}
    assert (await desk.post(f"{WALLET}/float/purchase", **body)).status_code == 200
    answer = (await desk.post(VALIDATE, reference=reference, otp_code=code)).json()
    assert (answer["valid"], answer["otp"]["status"]) == (False, "used")
    assert answer["otp"]["validatedAt"] is not None


async def test_what_is_no_code_costs_no_attempt(desk: OlderDesk) -> None:
    reference, _ = await desk.float_code()
    refused(
        await desk.post(VALIDATE, reference=reference, otp_code="12345"), 400, "invalid_request"
    )
    status = (await desk.get(f"{OTP}/status", reference=reference)).json()
    assert status["otp"]["attempts"] == 0


async def test_the_status_tells_of_delivery_and_attempts(desk: OlderDesk) -> None:
    reference, _ = await desk.float_code()
    status = (await desk.get(f"{OTP}/status", reference=reference, partner_id="DUKA")).json()
    otp = status["otp"]
    assert (otp.pop("createdAt") < otp.pop("expiresAt")) is True
    assert otp == {
        "status": "pending",
        "attempts": 0,
        "maxAttempts": 3,
        "remainingAttempts": 3,
        "smsSent": True,
        "emailSent": True,
        "validatedAt": None,
        "isExpired": False,
    }


@pytest.mark.parametrize("method", ["validate", "status"])
async def test_another_partners_code_is_not_there(desk: OlderDesk, method: str) -> None:
    reference, code = await desk.float_code()
    if method == "status":
        answer = await desk.get(f"{OTP}/status", "SOKO", reference=reference)
    else:
        answer = await desk.post(VALIDATE, "SOKO", reference=reference, otp_code=code)
    refused(answer, 404, "not_found")


async def test_own_codes_are_cleaned_up_once(desk: OlderDesk) -> None:
    await desk.float_code()

    def end(tx: StoreTx) -> None:  # unseen by the minute's job, which would come first
        tx.conn.execute("UPDATE otp_validations SET expires_at = ?", (tx.now_ms,))

    await desk.world.app.database.write(end)  # type: ignore[arg-type]
    theirs = await desk.post(f"{OTP}/cleanup", "SOKO")
    first = await desk.post(f"{OTP}/cleanup")
    again = await desk.post(f"{OTP}/cleanup", partner_id="DUKA")
    assert theirs.json() == {"success": True, "cleanedCount": 0}
    assert [first.json()["cleanedCount"], again.json()["cleanedCount"]] == [1, 0]


async def test_after_an_approval_the_reference_alone_sends_the_code(tmp_path: Path) -> None:
    desk = await OlderDesk.open(tmp_path, approve_above=100_000)
    first = (await desk.post(GENERATE, **FLOAT)).json()
    assert (first["success"], first["expiresAt"], first["phoneNumber"]) == (True, None, None)
    reference = first["reference"]
    refused(await desk.post(GENERATE, reference=reference), 409, "approval_needed")
    refused(
        await desk.post(VALIDATE, reference=reference, otp_code="123456"), 409, "approval_needed"
    )
    refused(await desk.get(f"{OTP}/status", reference=reference), 404, "not_found")

    def agree(tx: StoreTx) -> None:
        second = next(one for one in tx.people.of("DUKA") if one.phone.msisdn == OPERATOR_PHONE)
        decided = approvals.decide(tx, Policy(), second, reference, Decision.APPROVED)
        assert not isinstance(decided, Refusal)

    await desk.world.app.database.write(agree)  # type: ignore[arg-type]
    sent = (await desk.post(GENERATE, reference=reference)).json()
    assert (sent["reference"], sent["amount"]) == (reference, 5000)
    code = await desk.code()
    body = {"float_amount": 5000, "otp_reference": reference, "otp_code": code}
    assert (await desk.post(f"{WALLET}/float/purchase", **body)).status_code == 200
    await desk.close()


async def test_beside_a_reference_nothing_else_is_said(desk: OlderDesk) -> None:
    answer = await desk.post(GENERATE, reference="FL-7K3QF9", amount=5)
    assert refused(answer, 400, "invalid_request")["errors"][0]["pointer"] == "/amount"
