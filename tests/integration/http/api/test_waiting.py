"""Calls that wait for an operation: woken by its change, and by nothing else."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from starlette.types import Message

from bot.http.api.routes import api_routes
from bot.http.server import serving
from bot.simulation.ncba.handsets import Handset
from bot.simulation.product_door import FINISH_S
from bot.turns.operation_waits import OperationWaits
from services.domain.database import DatabaseFailed
from tests.kit.api_caller import ApiCaller, calling
from tests.kit.real_time import until

PHONE = "254733000111"


async def _until_waiting(caller: ApiCaller, many: int) -> None:
    await until(lambda: caller.world.app.waits.waiting >= many)


async def test_a_change_answers_at_once(caller: ApiCaller) -> None:
    reference = (await caller.topup()).json()["reference"]
    waiting = asyncio.create_task(caller.get(f"/v1/operations/{reference}?wait=25"))
    await _until_waiting(caller, 1)
    caller.world.bank.set_handset(PHONE, Handset("pays"))
    await caller.world.advance(10)
    answer = (await waiting).json()
    assert (answer["status"], answer["version"]) == ("paid", 2)


async def test_what_is_known_already_is_not_waited_for(caller: ApiCaller) -> None:
    reference = (await caller.topup()).json()["reference"]
    older = await caller.get(f"/v1/operations/{reference}?wait=25&version=0")
    assert older.json()["version"] == 1


async def test_a_final_one_is_not_waited_for(caller: ApiCaller) -> None:
    reference = (await caller.topup()).json()["reference"]
    caller.world.bank.set_handset(PHONE, Handset("pays"))
    await caller.world.advance(10)
    answer = await caller.get(f"/v1/operations/{reference}?wait=25&version=9")
    assert answer.json()["final"] is True


async def test_the_end_of_the_wait_answers_with_what_there_is(caller: ApiCaller) -> None:
    reference = (await caller.topup()).json()["reference"]
    answer = await caller.get(f"/v1/operations/{reference}?wait=1")
    assert answer.json()["status"] == "pending"


async def test_nobody_waits_for_a_program_that_stops(caller: ApiCaller) -> None:
    reference = (await caller.topup()).json()["reference"]
    waiting = asyncio.create_task(caller.get(f"/v1/operations/{reference}?wait=25"))
    await _until_waiting(caller, 1)
    caller.world.app.waits.close()
    assert (await waiting).json()["status"] == "pending"


async def test_only_waiters_of_what_changed_are_woken(caller: ApiCaller) -> None:
    paid = (await caller.topup()).json()["reference"]
    other = (await caller.topup(700, "0722000333")).json()["reference"]
    waiting = [
        asyncio.create_task(caller.get(f"/v1/operations/{reference}?wait=25"))
        for reference in (paid, paid, other)
    ]
    await _until_waiting(caller, 3)
    caller.world.bank.set_handset(PHONE, Handset("pays"))
    await caller.world.advance(8)
    assert [task.done() for task in waiting] == [True, True, False]
    caller.world.app.waits.close()
    answers = [(await task).json()["status"] for task in waiting]
    assert answers == ["paid", "paid", "pending"]


async def test_a_client_that_left_is_not_waited_for(caller: ApiCaller) -> None:
    reference = (await caller.topup()).json()["reference"]
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/v1/operations/{reference}",
        "query_string": b"wait=25",
        "headers": [(b"x-api-key", caller.keys["DUKA"].encode())],
    }
    left = asyncio.Event()
    received = iter(({"type": "http.request", "body": b""},))

    async def receive() -> Message:
        if (message := next(received, None)) is not None:
            return message
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        pass

    call = asyncio.create_task(caller.world.door(scope, receive, send))
    await _until_waiting(caller, 1)
    left.set()
    await asyncio.wait_for(call, 5)
    assert caller.world.app.waits.waiting == 0


async def test_a_closed_connection_ends_the_wait(caller: ApiCaller) -> None:
    reference = (await caller.topup()).json()["reference"]
    head = f"GET /v1/operations/{reference}?wait=25 HTTP/1.1\r\nHost: desk\r\n"
    app = caller.world.app
    async with serving(api_routes(app), "127.0.0.1", 0, asyncio.Event()) as ((host, port),):
        _, writer = await asyncio.open_connection(host, port)
        writer.write(f"{head}x-api-key: {caller.keys['DUKA']}\r\n\r\n".encode())
        await _until_waiting(caller, 1)
        writer.transport.abort()
        await until(lambda: not app.waits.waiting)


async def test_a_restart_answers_those_that_wait(caller: ApiCaller) -> None:
    reference = (await caller.topup()).json()["reference"]
    waiting = asyncio.create_task(caller.get(f"/v1/operations/{reference}?wait=25"))
    await _until_waiting(caller, 1)
    began = time.monotonic()
    await caller.world.restart()
    assert (await waiting).status_code == 200
    assert time.monotonic() - began < FINISH_S


async def test_a_change_that_cannot_be_read_is_not_kept_back(
    caller: ApiCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(function: object) -> None:
        raise DatabaseFailed("disk I/O error")

    reference = (await caller.topup()).json()["reference"]
    waiting = asyncio.create_task(caller.get(f"/v1/operations/{reference}?wait=25"))
    await _until_waiting(caller, 1)
    monkeypatch.setattr(caller.world.app.database, "read", fail)
    caller.world.app.waits.changed(frozenset({reference}))
    answer = await asyncio.wait_for(waiting, 5)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


async def test_one_partner_does_not_take_all_the_room(tmp_path: Path) -> None:
    async with calling(tmp_path, api_waits_per_partner=1) as caller:
        reference = (await caller.topup()).json()["reference"]
        waiting = asyncio.create_task(caller.get(f"/v1/operations/{reference}?wait=25"))
        await _until_waiting(caller, 1)
        at_once = await caller.get(f"/v1/operations/{reference}?wait=25")
        caller.world.app.waits.close()
        assert (await waiting).status_code == at_once.status_code == 200


async def test_all_partners_together_leave_room_for_the_bank(caller: ApiCaller) -> None:
    reference = (await caller.topup()).json()["reference"]
    waits = OperationWaits(caller.world.app.database, most=5, most_in_all=1)
    first = asyncio.create_task(waits.until_changed("DUKA", reference, 9, 25, waits.mark))
    await until(lambda: waits.waiting == 1)
    async with asyncio.timeout(5):
        assert await waits.until_changed("SOKO", reference, 9, 25, waits.mark) is None
    waits.close()
    assert await first is None
