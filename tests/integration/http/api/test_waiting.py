"""Calls that wait for an operation: woken by its change, and by nothing else."""

from __future__ import annotations

import asyncio

from bot.simulation.ncba.handsets import Handset
from tests.kit.api_caller import ApiCaller

PHONE = "254733000111"


async def _until_waiting(caller: ApiCaller, many: int) -> None:
    while caller.world.app.waits.waiting < many:  # noqa: ASYNC110 - a count, not an event
        await asyncio.sleep(0)


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
        asyncio.create_task(caller.get(f"/v1/operations/{reference}?wait=2"))
        for reference in (paid, paid, other)
    ]
    await _until_waiting(caller, 3)
    caller.world.bank.set_handset(PHONE, Handset("pays"))
    await caller.world.advance(8)
    assert [task.done() for task in waiting] == [True, True, False]
    answers = [(await task).json()["status"] for task in waiting]
    assert answers == ["paid", "paid", "pending"]
