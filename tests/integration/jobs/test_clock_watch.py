"""A change of the system clock is reported prominently, and every job runs again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.clock import DatabaseClock, SystemClock, system_random
from bot.context import AppContext
from bot.jobs.clock_watch import STEPPED, ClockWatch
from bot.jobs.scheduler import JobScheduler, SchedulerAlarm
from bot.security.keyring import Keyring
from bot.simulation.world import World
from flows.engine.texts import Texts
from services.policy import Policy
from storage.sqlite.database import Database
from storage.sqlite.simulated import in_memory
from tests.kit.blank_file import blank_file

PATIENCE_S = 5.0


@pytest.fixture
async def world() -> AsyncIterator[World]:
    with closing(in_memory()) as memory:
        world = World(memory, threads=False)
        await world.open()
        yield world
        await world.close()


@pytest.mark.parametrize(
    ("seconds", "why"),
    [
        (259_200, ["the clock was set ahead by 72:00:00"]),
        (-3_601, ["the clock was set back by 1:00:01"]),
        (-5, []),
    ],
)
async def test_it_is_not_ready_for_a_minute_after_a_step(
    world: World, seconds: int, why: list[str]
) -> None:
    await world.set_clock(seconds)
    assert await world.app.readiness.faults(PATIENCE_S) == why
    await world.advance(59)
    assert await world.app.readiness.faults(PATIENCE_S) == why
    await world.advance(1)
    assert await world.app.readiness.faults(PATIENCE_S) == []


async def test_a_start_with_the_clock_set_back_is_said_too(world: World) -> None:
    await world.close()
    world.clock.step(-7_200)
    with capture_logs() as logs:
        await world.open()
    said = [log for log in logs if log["event"] == STEPPED]
    assert [(log["log_level"], log["ahead"], log["by"]) for log in said] == [
        ("error", False, "2:00:00")
    ]
    assert await world.app.readiness.faults(PATIENCE_S) == ["the clock was set back by 2:00:00"]


async def test_a_step_that_is_noticed_while_it_stops_leaves_nothing_running(world: World) -> None:
    before = asyncio.all_tasks()
    world.clock.step(7_200)  # only the last write notices it
    with capture_logs() as logs:
        await world.close()
    assert STEPPED in [log["event"] for log in logs]
    await asyncio.sleep(0)
    assert asyncio.all_tasks() <= before


async def test_every_job_is_woken(world: World) -> None:
    runs = {name: state.runs for name, state in world.app.jobs.states.items()}
    await world.set_clock(-3_600)
    assert all(state.runs > runs[name] for name, state in world.app.jobs.states.items())


async def test_a_real_alarm_rings_in_time_though_the_clock_was_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """APScheduler on its own would wait for the clock to catch up."""
    offset = timedelta(0)
    real_now = SystemClock.now
    monkeypatch.setattr(SystemClock, "now", lambda self: real_now(self) + offset)

    class SetDatetime(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return real_now(machine) + offset

    monkeypatch.setattr("apscheduler.schedulers.base.datetime", SetDatetime)
    machine = SystemClock()
    database = await Database.open(
        blank_file(tmp_path / "hazina.db"), machine.now, monotonic=machine.monotonic
    )
    clock = DatabaseClock(machine, database.time)
    jobs = JobScheduler(clock, SchedulerAlarm())
    desk = AppContext(Texts.load(), system_random(), Keyring({"1": bytes(32)}), Policy())
    watch = ClockWatch(database, clock, desk, jobs, lambda rows: None)
    database.stepped = watch.stepped
    due = clock.monotonic() + 0.3
    rang = asyncio.Event()

    async def scan() -> datetime | None:
        left = due - clock.monotonic()
        if left > 0:
            return clock.now() + timedelta(seconds=left)
        rang.set()
        return None

    jobs.add("scan", scan)
    jobs.start()
    watch.watch(0.02)
    await asyncio.sleep(0.05)
    offset = timedelta(hours=-1)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await rang.wait()
    finally:
        watch.stop()
        await jobs.stop()
        await database.close()
