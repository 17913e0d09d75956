from __future__ import annotations

import pytest

from bot.simulation.ncba.handsets import Handset
from services.domain.phone import Phone
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
TOPUP = f"{WALLET}/topup/stk-push"


@pytest.mark.parametrize(
    ("path", "member"),
    [("topup/validate", "transaction_id"), ("stk-push/query", "stk_push_transaction_id")],
)
async def test_either_question_tells_how_it_stands(desk: OlderDesk, path: str, member: str) -> None:
    reference = await desk.top_up()
    before = (await desk.post(f"{WALLET}/{path}", **{member: reference})).json()
    assert before["status"] == "pending"
    desk.world.bank.set_handset(OWNER_PHONE, Handset.PAYS)
    await desk.world.advance(20)
    after = (await desk.post(f"{WALLET}/{path}", **{member: reference})).json()
    assert after["status"] == "completed"


async def test_a_validated_top_up_tells_what_was_credited(desk: OlderDesk) -> None:
    reference = await desk.top_up()
    pending = (await desk.post(f"{WALLET}/topup/validate", transaction_id=reference)).json()
    assert pending["creditedAmount"] is None
    desk.world.bank.set_handset(OWNER_PHONE, Handset.PAYS)
    await desk.world.advance(20)
    paid = (await desk.post(f"{WALLET}/topup/validate", transaction_id=reference)).json()
    assert paid["creditedAmount"] == 1500
    balance = (await desk.get(f"{WALLET}/balance")).json()["wallet"]
    assert (balance["currentBalance"], balance["lastTopupAmount"]) == (51500, 1500)
    assert balance["lastTopupDate"].endswith("Z")


async def test_the_banks_id_is_told_once_the_bank_gave_it(desk: OlderDesk) -> None:
    reference = await desk.top_up()
    answer = (await desk.post(f"{WALLET}/topup/validate", transaction_id=reference)).json()
    topup = await desk.world.app.database.read(lambda tx: tx.topups.get(reference))
    assert topup is not None
    assert topup.bank_id is not None
    assert answer["ncbReferenceId"] == topup.bank_id


async def test_a_prompt_that_was_cancelled_has_failed(desk: OlderDesk) -> None:
    desk.world.bank.set_handset(OWNER_PHONE, Handset.CANCELS)
    reference = await desk.top_up()
    await desk.world.advance(60)
    answer = (await desk.post(f"{WALLET}/stk-push/query", transaction_id=reference)).json()
    assert (answer["success"], answer["status"]) == (True, "failed")
    assert answer["error"]


async def test_the_same_again_is_suspected_unless_it_is_meant(desk: OlderDesk) -> None:
    first = await desk.top_up()
    body = {"amount": "1500.00", "phone_number": "0712345678"}
    problem = refused(await desk.post(TOPUP, **body), 409, "duplicate_suspected")
    assert problem["reference"] == first
    assert (await desk.post(TOPUP, **body, again=True)).status_code == 200


async def test_a_replay_gives_the_first_answer_to_the_letter(desk: OlderDesk) -> None:
    body = {"amount": 1500, "phone_number": OWNER_PHONE}
    first = await desk.post(TOPUP, key=KEY, **body)
    await desk.world.settle()
    again = await desk.post(TOPUP, key=KEY, **{**body, "amount": "1500.00"})
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    refused(await desk.post(TOPUP, key=KEY, **{**body, "amount": 2}), 422, "idempotency_mismatch")


async def test_a_refusal_is_replayed_with_its_older_members(desk: OlderDesk) -> None:
    await desk.top_up()
    body = {"amount": 1500, "phone_number": OWNER_PHONE}
    first = await desk.post(TOPUP, key=KEY, **body)
    again = await desk.post(TOPUP, key=KEY, **body)
    refused(again, 409, "duplicate_suspected")
    assert again.content == first.content


async def test_a_code_for_a_top_up_is_for_the_phone_that_pays(desk: OlderDesk) -> None:
    generated = await desk.post(
        f"{OTP}/generate",
        purpose="wallet_topup",
        amount=2000,
        phone_number=OWNER_PHONE,
        email_address=OWNER_MAIL,
    )
    reference, code = generated.json()["reference"], await desk.code()
    assert generated.json()["purpose"] == "wallet_topup"
    paid = {"otp_reference": reference, "otp_code": code, "amount": 2000}
    refused(await desk.post(TOPUP, phone_number=OPERATOR_PHONE, **paid), 409, "otp_wrong")
    started = await desk.post(TOPUP, phone_number=OWNER_PHONE, **paid)
    assert started.json()["reference"] == reference
    topup = await desk.world.app.database.read(lambda tx: tx.topups.get(reference))
    assert topup is not None
    assert topup.phone == Phone(OWNER_PHONE)


async def test_a_code_for_a_top_up_needs_the_phone(desk: OlderDesk) -> None:
    answer = await desk.post(f"{OTP}/generate", purpose="wallet_topup", amount=2000)
    assert refused(answer, 400, "invalid_request")["errors"][0]["pointer"] == "/phone_number"


@pytest.mark.parametrize(
    ("path", "missing"),
    [("topup/validate", "/transaction_id"), ("stk-push/query", "/stk_push_transaction_id")],
)
async def test_one_reference_is_needed(desk: OlderDesk, path: str, missing: str) -> None:
    problem = refused(await desk.post(f"{WALLET}/{path}"), 400, "invalid_request")
    assert [error["pointer"] for error in problem["errors"]] == [missing]


async def test_references_that_are_sent_together_are_the_same(desk: OlderDesk) -> None:
    one, other = await desk.top_up(), await desk.top_up(1600)
    path = f"{WALLET}/topup/validate"
    same = await desk.post(path, transaction_id=one, stk_push_transaction_id=one, reference=one)
    assert same.json()["transactionId"] == one
    differ = await desk.post(path, transaction_id=one, stk_push_transaction_id=other)
    problem = refused(differ, 400, "invalid_request")
    assert problem["errors"][0]["pointer"] == "/stk_push_transaction_id"


async def test_another_partners_reference_is_not_there(desk: OlderDesk) -> None:
    reference = await desk.top_up()
    for path in ("topup/validate", "stk-push/query"):
        theirs = await desk.post(f"{WALLET}/{path}", "SOKO", transaction_id=reference)
        nobodys = await desk.post(f"{WALLET}/{path}", "SOKO", transaction_id="TU-222222")
        assert refused(theirs, 404, "not_found")["error"] == nobodys.json()["error"]
