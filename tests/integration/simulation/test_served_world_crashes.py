"""``hazina sim --serve``: restarts and kills, seen by those who were calling the product."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.simulation.notification_sender import NOTIFY_URL
from services.domain.money import Money
from tests.kit.served_controls import ServedControls, served_controls

NOTIFY = NOTIFY_URL.removeprefix("http://hazina.simulated")


@pytest.fixture
async def sim(tmp_path: Path) -> AsyncIterator[ServedControls]:
    async with served_controls(tmp_path) as sim:
        yield sim


def _notification(sim: ServedControls) -> bytes:
    paybill = sim.served.world.bank.paybill
    return paybill.notify("254733345678", Money(2_500_00), "DUKA").body


@pytest.mark.parametrize("at", ["commit", "after-commit"])
async def test_a_request_under_way_at_a_kill_is_unavailable_and_can_be_sent_again(
    sim: ServedControls, at: str
) -> None:
    body = _notification(sim)
    await sim.post("crash", at=at)
    killed = await sim.client.post(NOTIFY, content=body)
    assert killed.status_code == 503
    again = await sim.client.post(NOTIFY, content=body)
    assert (again.status_code, again.json()["ResultCode"]) == (200, "0")
    assert sim.served.world.crash_count == 1
    assert "Wallet: KES 52,500" in await sim.say("wanjiru", "/balance")
    assert (await sim.get("books"))["ok"]


async def test_a_kill_at_a_call_of_the_bank_is_met_by_a_chat_turn(sim: ServedControls) -> None:
    await sim.post("crash", at="after-call initiate")
    await sim.say("wanjiru", "/topup 1500")
    await sim.tap("wanjiru", "mine")
    assert "cannot tell yet" in await sim.tap("wanjiru", "yes")
    assert sim.served.world.crash_count == 1


async def test_the_nth_passing_of_a_point_is_meant(sim: ServedControls) -> None:
    await sim.post("crash", at="commit", nth=3)
    (armed,) = sim.served.world.armed_crashes
    await sim.say("wanjiru", "/menu")
    assert armed.nth < 3
    for _ in range(3):
        await sim.say("wanjiru", "/balance")
    assert armed.fired
    assert sim.served.world.crash_count == 1


async def test_requests_wait_while_the_world_restarts(sim: ServedControls) -> None:
    restarting = asyncio.create_task(sim.post("restart"))
    waiting = [asyncio.create_task(sim.client.get("/readyz")) for _ in range(5)]
    waiting += [asyncio.create_task(sim.client.get("/sim/calls")) for _ in range(5)]
    await restarting
    assert {(await one).status_code for one in waiting} == {200}


async def test_a_kill_in_a_restart_ends_with_a_world_that_answers(sim: ServedControls) -> None:
    await sim.post("crash", at="commit")
    await sim.post("restart")
    assert (await sim.client.get("/readyz")).status_code == 200
    assert sim.served.world.crash_count == 1


async def test_much_at_once_is_one_after_another(sim: ServedControls) -> None:
    await asyncio.gather(
        sim.post("advance", seconds=3_600),
        sim.post("restart"),
        sim.post("crash"),
        sim.post("restart"),
        *(sim.say("wanjiru", "/balance") for _ in range(5)),
    )
    assert (await sim.get("books"))["ok"]
