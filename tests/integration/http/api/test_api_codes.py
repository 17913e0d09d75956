"""What a partner's system may do with codes, where scripts cannot tell it apart."""

from __future__ import annotations

from structlog.testing import capture_logs

from flows.engine.event import from_text
from services.domain.phone import Phone
from services.ports import Tx
from tests.kit.api_caller import OWNER, PAYER, ApiCaller


async def test_a_replaced_code_is_told_as_killed(caller: ApiCaller) -> None:
    reference, first = await caller.code_for()
    await caller.world.advance(31)
    again = await caller.post("/v1/otp/generate", {"reference": reference})
    assert again.status_code == 201
    checked = await caller.post("/v1/otp/validate", {"reference": reference, "otp_code": first})
    assert checked.json() == {"valid": False, "remaining_attempts": 2, "status": "killed"}
    right = {"reference": reference, "otp_code": caller.code()}
    assert (await caller.post("/v1/otp/validate", right)).json()["valid"] is True


async def test_what_is_missing_is_told_to_the_cent(caller: ApiCaller) -> None:
    body = {"purpose": "float_purchase", "amount": "50000.55"}
    answer = await caller.post("/v1/otp/generate", body)
    assert (answer.status_code, answer.json()["missing"]) == (409, "0.55")


async def test_a_persons_own_purchase_is_not_a_systems_to_finish(caller: ApiCaller) -> None:
    """Its code went to a person who acts in the chat: wrong tries of a key would lock it."""
    world = caller.world
    for number, text in enumerate(("/float 1000", "1")):
        world.submit(from_text("terminal", "wanjiru", f"e{number}", text, f"m{number}"))
        await world.settle()
    assert OWNER.msisdn in world.sms.texts
    (found,) = [
        one
        for one in (await caller.get("/v1/transactions?kind=float")).json()["data"]
        if one["status"] == "awaiting_code"
    ]
    reference, code = found["reference"], caller.code()
    tried = [
        await caller.post("/v1/otp/validate", {"reference": reference, "otp_code": code}),
        await caller.get(f"/v1/otp/status?reference={reference}"),
        await caller.post("/v1/otp/generate", {"reference": reference}),
        await caller.post(
            "/v1/float/purchase", {"amount": 1000, "otp_reference": reference, "otp_code": code}
        ),
    ]
    assert {answer.status_code for answer in tried} == {404}
    seen = await caller.get(f"/v1/operations/{reference}")
    assert seen.json()["status"] == "awaiting_code"


async def test_the_newest_event_is_a_place_to_go_on_from(caller: ApiCaller) -> None:
    await caller.topup()
    newest = (await caller.events())[-1]["id"]

    await caller.world.app.database.write(
        lambda tx: tx.partner_events.delete_before(tx.now.replace(year=2100), 100)
    )
    answer = await caller.get(f"/v1/events?after={newest}")
    older = await caller.get("/v1/events?after=ev_DUKA_9")
    assert (answer.status_code, answer.json()) == (200, {"data": [], "has_more": False})
    assert older.status_code == 400


async def _code_for_topup(caller: ApiCaller) -> dict[str, object]:
    """What begins it, but for the code."""
    asked = {"purpose": "wallet_topup", "amount": 1500, "payer_phone": PAYER}
    sent = await caller.post("/v1/otp/generate", asked)
    assert sent.status_code == 201, sent.text
    reference = sent.json()["reference"]
    return {"amount": 1500, "phone_number": PAYER, "otp_reference": reference}


async def test_guessing_the_code_of_a_topup_is_logged_as_in_the_chat(caller: ApiCaller) -> None:
    body = await _code_for_topup(caller)
    wrong = "000000" if caller.code() != "000000" else "000001"
    with capture_logs() as logs:
        tries = [
            await caller.post("/v1/topup/stk-push", {**body, "otp_code": wrong}) for _ in range(3)
        ]
    assert [answer.json()["code"] for answer in tries] == ["otp_wrong", "otp_wrong", "otp_locked"]
    (told,) = [entry for entry in logs if entry["event"] == "three wrong codes"]
    assert (told["operation"], told["partner"]) == (body["otp_reference"], "DUKA")


async def test_another_code_is_not_sent_to_a_contact_changed_just_now(caller: ApiCaller) -> None:
    body = await _code_for_topup(caller)
    await caller.world.advance(31)

    def change(tx: Tx) -> None:
        owner = tx.people.at("terminal", "wanjiru")
        assert owner is not None
        tx.people.set_phone(owner.id, Phone("254712999888"))

    await caller.world.app.database.write(change)
    again = await caller.post("/v1/otp/generate", {"reference": body["otp_reference"]})
    assert (again.status_code, again.json()["code"]) == (403, "frozen")
