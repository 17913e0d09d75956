"""Batches that a partner's system sends, where scripts cannot tell it apart."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from services import api_keys
from services.domain.api_key import Scope
from services.domain.audit import by_person
from services.domain.partner import Role
from services.domain.phone import Phone
from services.ports import Tx
from tests.integration.http.api.test_answers_conform import check
from tests.kit.api_caller import KEY, ApiCaller, calling
from tests.kit.batches import FILE, PATH, ROWS, batches, row, send_file
from tests.kit.paying_system import PayingSystem


@pytest.fixture
async def system(caller: ApiCaller) -> PayingSystem:
    system = PayingSystem(caller)
    await system.fund()
    return system


async def test_every_answer_is_as_documented(system: PayingSystem) -> None:
    caller = system.caller
    sent = check(await caller.post(PATH, {"rows": ROWS, "partner_id": "DUKA"}))
    assert sent.status_code == 202
    path = f"{PATH}/{sent.json()['reference']}"
    check(await caller.get(sent.headers["location"]))
    assert check(await caller.get(path)).json() == sent.json()
    page = check(await caller.get(f"{path}/rows?limit=1")).json()
    check(await caller.get(f"{path}/rows?limit=1&cursor={page['next_cursor']}"))
    assert check(await caller.post(PATH, {"rows": ROWS})).status_code == 409
    assert check(await caller.post(PATH, {"rows": [row(1, 5)]})).status_code == 422
    assert check(await caller.post(PATH, {"rows": [row(1, 90_000)]})).status_code == 409
    assert check(await caller.post(f"{path}/stop")).json()["reason"] == "stopped"
    assert check(await caller.get(f"{PATH}/BA-222222")).status_code == 404
    events = check(await caller.get("/v1/events")).json()["data"]
    assert [event["type"] for event in events] == [
        "payout_batch.awaiting_approval",
        "payout_batch.stopped",
    ]
    assert events[0]["data"] == sent.json()
    assert events[0]["meta"]["request_id"] == sent.headers["x-request-id"]
    assert await caller.violations() == []


async def test_a_file_and_rows_in_json_are_one_batch(system: PayingSystem) -> None:
    by_file = await send_file(system)
    assert by_file.status_code == 202, by_file.text
    again = await system.caller.post(PATH, {"rows": ROWS})
    assert again.json()["code"] == "duplicate_suspected"
    assert again.json()["reference"] == by_file.json()["reference"]
    taken = await system.caller.post(PATH, {"rows": ROWS, "accept_doubles": True})
    assert taken.json()["digest"] == by_file.json()["digest"]


async def test_the_same_request_at_once_is_one_batch(system: PayingSystem) -> None:
    headers = {"idempotency-key": KEY}
    answers = await asyncio.gather(
        *(system.caller.send("POST", PATH, json={"rows": ROWS}, headers=headers) for _ in range(4))
    )
    await system.caller.world.settle()
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert await batches(system) == 1


async def test_the_same_again_is_the_first_answer(system: PayingSystem) -> None:
    first = await send_file(system)
    again = await send_file(system)
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.content, again.headers["location"]) == (first.content, first.headers["location"])
    other = await send_file(system, FILE + b"0722000333,10,S-3\n")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    as_json = await system.caller.post(PATH, {"rows": ROWS}, key=KEY)
    assert as_json.json()["code"] == "idempotency_mismatch"


async def test_amounts_are_compared_by_value(system: PayingSystem) -> None:
    first = await system.caller.post(PATH, {"rows": [row(1, 100)]}, key=KEY)
    again = await system.caller.post(PATH, {"rows": [row(1, "100.00")]}, key=KEY)
    assert again.content == first.content


async def test_a_batch_needs_an_idempotency_key(system: PayingSystem) -> None:
    answer = await system.caller.send("POST", PATH, json={"rows": ROWS})
    assert answer.json()["code"] == "idempotency_key_missing"


async def test_sending_counts_as_a_move_and_stopping_does_not(tmp_path: Path) -> None:
    async with calling(tmp_path, api_moves_per_minute=1) as caller:
        system = PayingSystem(caller)
        await system.fund()
        sent = await caller.post(PATH, {"rows": ROWS})
        assert (await caller.post(PATH, {"rows": ROWS})).status_code == 429
        stopped = await caller.post(f"{PATH}/{sent.json()['reference']}/stop")
    assert stopped.status_code == 200
    assert stopped.headers["ratelimit-policy"].startswith('"reads"')


@pytest.mark.parametrize("partner", ["DUKA", "SOKO"])
async def test_what_cannot_be_approved_or_paid_leaves_nothing(
    caller: ApiCaller, partner: str
) -> None:
    """DUKA has no float, and SOKO nobody who could agree."""
    answer = await caller.post(PATH, {"rows": ROWS}, partner=partner, key=KEY)
    again = await caller.post(PATH, {"rows": ROWS}, partner=partner, key=KEY)
    codes = {"DUKA": "insufficient_funds", "SOKO": "approval_needed"}
    assert (answer.status_code, answer.json()["code"]) == (409, codes[partner])
    assert again.content == answer.content
    assert partner == "SOKO" or answer.json()["missing"] == "2210.00"
    assert await batches(PayingSystem(caller)) == 0
    assert await caller.events() == []


async def test_anothers_batch_is_as_one_that_is_not_there(system: PayingSystem) -> None:
    reference = (await system.caller.post(PATH, {"rows": ROWS})).json()["reference"]
    path = f"{PATH}/{reference}"
    answers = [
        await system.caller.get(one, partner="SOKO")
        for one in (path, f"{path}/rows", f"{path}/result.csv", f"/v1/operations/{reference}")
    ]
    answers.append(await system.caller.post(f"{path}/stop", partner="SOKO"))
    assert {answer.status_code for answer in answers} == {404}
    assert (await system.caller.get(path)).json()["status"] == "awaiting_approval"


async def test_a_key_needs_the_scope(system: PayingSystem) -> None:
    others = await system.caller.make_key("DUKA", [scope for scope in Scope if scope != "payout"])
    headers = {"x-api-key": others, "idempotency-key": KEY}
    reference = (await system.caller.post(PATH, {"rows": ROWS})).json()["reference"]
    path = f"{PATH}/{reference}"
    for method, target in (
        *(("POST", PATH), ("POST", f"{path}/stop")),
        *(("GET", path), ("GET", f"{path}/rows"), ("GET", f"{path}/result.csv")),
    ):
        answer = await system.caller.send(method, target, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden_scope"), target


async def test_a_key_can_neither_approve_nor_type_the_code(system: PayingSystem) -> None:
    caller = system.caller
    batch = (await caller.post(PATH, {"rows": ROWS})).json()
    reference = batch["reference"]
    code = {"otp_reference": reference, "otp_code": "123456"}
    answers = [
        await caller.post("/v1/otp/generate", {"reference": reference}),
        await caller.post("/v1/otp/validate", {"reference": reference, "otp_code": "123456"}),
        await caller.get(f"/v1/otp/status?reference={reference}"),
        await caller.post("/v1/payouts", {"amount": 2200, "phone_number": "0722000111", **code}),
        await caller.post("/v1/float/purchase", {"amount": 2200, **code}),
        await caller.post(
            "/v1/topup/stk-push", {"amount": 10, "phone_number": "0722000111"} | code
        ),
        await caller.post(f"{PATH}/{reference}/approve"),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert (await caller.get(f"{PATH}/{reference}")).json() == batch


async def test_a_batch_is_waited_for_as_an_operation(system: PayingSystem) -> None:
    caller = system.caller
    reference = (await caller.post(PATH, {"rows": ROWS})).json()["reference"]
    waiting = asyncio.create_task(caller.get(f"/v1/operations/{reference}?wait=20&version=1"))
    await asyncio.sleep(0.05)
    await caller.post(f"{PATH}/{reference}/stop")
    seen = await asyncio.wait_for(waiting, 5)
    assert (seen.json()["status"], seen.json()["version"]) == ("stopped", 2)


async def test_a_batch_stands_in_no_history(system: PayingSystem) -> None:
    before = (await system.caller.get("/v1/transactions")).json()
    await system.caller.post(PATH, {"rows": ROWS})
    assert (await system.caller.get("/v1/transactions")).json() == before


async def test_stopping_again_changes_nothing(system: PayingSystem) -> None:
    reference = (await system.caller.post(PATH, {"rows": ROWS})).json()["reference"]
    first = await system.caller.post(f"{PATH}/{reference}/stop")
    again = await system.caller.post(f"{PATH}/{reference}/stop")
    assert first.json() == again.json()
    assert first.json()["counts"]["cancelled"] == 2
    assert len(await system.caller.events()) == 2


async def maker_of(caller: ApiCaller, key: str) -> httpx.Response:
    headers = {"x-api-key": key, "idempotency-key": KEY}
    return await caller.send("POST", PATH, json={"rows": ROWS}, headers=headers)


async def test_the_maker_is_who_made_the_key_else_the_only_owner(system: PayingSystem) -> None:
    caller = system.caller

    async def by(person_id: int) -> str:
        def make(tx: Tx) -> str:
            made = api_keys.create(
                tx, caller.world.random, "DUKA", tuple(Scope), 30, by_person(person_id)
            )
            assert isinstance(made, api_keys.CreatedKey)
            return made.key

        return await caller.world.app.database.write(make)

    def add(tx: Tx) -> tuple[int, int]:
        second = tx.people.add_person(
            "DUKA", "amina", Role.OWNER, Phone("254711000111"), None, "en"
        )
        unlinked = tx.people.add_person(
            "DUKA", "juma", Role.OWNER, Phone("254711000222"), None, "en"
        )
        tx.people.link("terminal", "amina", second)
        return second, unlinked

    second, unlinked = await caller.world.app.database.write(add)
    refused = await maker_of(caller, caller.keys["DUKA"])  # an admin's, and there are two owners
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "")
    assert (await maker_of(caller, await by(unlinked))).status_code == 400
    sent = await maker_of(caller, await by(second))
    assert sent.status_code == 202, sent.text
    reference = sent.json()["reference"]
    batch = await caller.world.app.database.read(lambda tx: tx.payout_batches.get(reference))
    assert batch is not None
    assert batch.person_id == second
