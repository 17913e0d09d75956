"""What a partner's system may do with codes, where scripts cannot tell it apart."""

from __future__ import annotations

from flows.engine.event import from_text
from tests.kit.api_caller import OWNER, ApiCaller


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
