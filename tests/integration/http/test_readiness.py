"""Readiness is reported truthfully, at once and at almost no cost."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Coroutine
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot import readiness
from bot.jobs.file_watch import EVERY_S, PAUSES, FileWatch
from bot.jobs.scheduler import LATE_MAX_S, SCAN_MAX_S, JobScheduler
from bot.readiness import FRESH_S, SILENT
from bot.simulation.clock import VirtualClock
from bot.simulation.world import World
from bot.workers.bank_worker import STUCK_S, BankWorker, CallPool
from services.domain.database import DatabaseFailed
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit.held_writer import Box, Gate
from tests.kit.virtual_time import advance

LIMIT_S = 5.0


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path, threads=False)
    await world.open()
    yield world
    await world.close()


async def faults(world: World) -> list[str]:
    return await world.app.readiness.faults(LIMIT_S)


def _rows(tx: StoreTx) -> int:
    tables = tx.conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    counts = [f"SELECT count(*) AS n FROM {name}" for (name,) in tables]  # noqa: S608
    (rows,) = tx.conn.execute(f"SELECT sum(n) FROM ({' UNION ALL '.join(counts)})").fetchone()  # noqa: S608
    return int(rows)


async def test_however_many_ask_the_database_is_asked_once_a_second(world: World) -> None:
    changes = world.app.database._tx.conn.total_changes  # type: ignore[union-attr]
    for _ in range(100):
        assert await faults(world) == []
    asked = world.app.database._tx.conn.total_changes - changes  # type: ignore[union-attr]
    assert 1 <= asked <= 2  # its own row, and the time that every commit stores


async def test_asking_makes_no_table_grow(world: World) -> None:
    before = await world.app.database.read(_rows)
    for _ in range(20):
        assert await faults(world) == []
        await world.advance(FRESH_S)
    assert await world.app.database.read(_rows) == before


async def test_a_database_that_can_only_be_read_is_not_ready(world: World) -> None:
    await world.app.database.write(lambda tx: tx.conn.execute("PRAGMA query_only = ON"))
    assert await faults(world) == ["the database fails: attempt to write a readonly database"]
    await world.app.database.write(lambda tx: tx.conn.execute("PRAGMA query_only = OFF"))
    await world.advance(FRESH_S)
    assert await faults(world) == []


@pytest.mark.parametrize(("free", "why"), [(0, ["the disk is full"]), (100_000, [])])
async def test_a_full_disk_is_not_ready_though_rows_fit_for_a_while(
    world: World, monkeypatch: pytest.MonkeyPatch, free: int, why: list[str]
) -> None:
    disk = SimpleNamespace(f_blocks=200_000, f_bavail=free, f_frsize=4_096)
    monkeypatch.setattr(readiness, "os", SimpleNamespace(statvfs=lambda folder: disk))
    assert await faults(world) == why


async def test_a_file_that_has_gone_is_not_ready_until_it_is_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.sqlite.batch.FILE_CHECK_EVERY_S", 0)
    path = world.settings.database
    path.rename(path.with_name("gone.db"))
    assert await faults(world) == ["the database fails: hazina.db is gone"]
    path.with_name("gone.db").rename(path)
    await world.advance(FRESH_S)
    assert await faults(world) == []


async def test_damage_that_anybody_met_is_not_ready(world: World) -> None:
    world.app.database.mark_damaged("database disk image is malformed")
    assert await faults(world) == ["the database is damaged: database disk image is malformed"]


async def test_a_change_is_said_in_the_log_once_each_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with capture_logs() as logs:
        world.app.database.damaged = "a page"
        await faults(world)
        await faults(world)
        world.app.database.damaged = None
        await faults(world)
        await faults(world)
    said = [(log["log_level"], log["event"]) for log in logs]
    assert said == [("error", "not ready"), ("info", "ready again")]


async def test_a_database_that_is_silent_is_asked_one_question_and_nobody_waits_for_long(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    await world.open()
    await world.settle()
    gate = Gate()
    holding = asyncio.ensure_future(world.app.database.write(lambda tx: gate.pass_through()))
    await gate.reached()
    try:
        for _ in range(3):
            assert await world.app.readiness.faults(0.01) == [SILENT]
        assert world.app.database.waiting == 1
    finally:
        gate.open()
        await holding
        await world.settle()
    await world.advance(FRESH_S)
    assert await faults(world) == []
    await world.close()


# What is stuck --------------------------------------------------------------------------------


async def never() -> None:
    await asyncio.Event().wait()


async def test_a_writer_that_does_not_come_round_is_stuck(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Box(tmp_path / "hazina.db").opened() as database:
        assert database.batch_s == 0
        gate = Gate()
        holding = asyncio.ensure_future(database.write(lambda tx: gate.pass_through()))
        await gate.reached()
        later = time.monotonic() + 60
        monkeypatch.setattr(
            "storage.queued_database.time", SimpleNamespace(monotonic=lambda: later)
        )
        assert database.batch_s >= 59
        monkeypatch.undo()
        gate.open()
        await holding
        assert database.batch_s == 0


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


class Mute:
    """An alarm that never rings."""

    def start(self) -> None: ...

    def set(self, name: str, wait: timedelta, action: Any) -> None: ...

    def stop(self) -> None: ...


async def test_a_scan_that_does_not_end_is_stuck(clock: VirtualClock) -> None:
    jobs = JobScheduler(clock, Mute())
    jobs.add("short", never)  # type: ignore[arg-type]
    jobs.add("long", never, limit_s=3_600)  # type: ignore[arg-type]
    jobs.start()
    await advance(clock, SCAN_MAX_S)
    assert jobs.stuck() == []
    await advance(clock, 1)
    assert jobs.stuck() == ["short"]
    jobs.abort()


async def test_a_scan_that_is_due_and_does_not_begin_is_stuck(clock: VirtualClock) -> None:
    async def scan() -> Any:
        return clock.now() + timedelta(seconds=100)

    jobs = JobScheduler(clock, Mute())
    jobs.add("scan", scan)
    jobs.start()
    await advance(clock, 100 + LATE_MAX_S)
    assert jobs.stuck() == []
    await advance(clock, 1)
    assert jobs.stuck() == ["scan"]
    await jobs.stop()


class Calling(BankWorker):
    """A worker with one call, which the test provides."""

    def __init__(self, clock: VirtualClock, call: Coroutine[Any, Any, None]) -> None:
        lane = CallPool(1)
        nobody: Any = None
        super().__init__(nobody, clock, lambda rows: None, lambda due: None, (lane,))
        self._begin(lane, call)


async def test_a_call_that_does_not_end_makes_its_worker_stuck(clock: VirtualClock) -> None:
    worker = Calling(clock, never())
    await advance(clock, STUCK_S)
    assert not worker.is_stuck
    await advance(clock, 1)
    assert worker.is_stuck
    worker.abort()
    await advance(clock, 0)
    assert not worker.is_stuck


async def test_what_is_stuck_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JobScheduler, "stuck", lambda jobs: ["purchases"])
    assert await faults(world) == ["purchases is stuck"]
    stuck = world.app.readiness.stuck()
    assert [name for name, is_stuck in stuck.items() if is_stuck] == ["purchases"]
    assert {"writer", "topups", "documents"} < set(stuck)


# The whole file -------------------------------------------------------------------------------


async def watched(
    database: Database, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, found: list[Any]
) -> FileWatch:
    """A watch whose checks return or raise the items of ``found`` in turn; a float is a delay."""

    async def at_once(check: Any) -> Any:
        one = found.pop(0)
        if isinstance(one, Exception):
            raise one
        if isinstance(one, float):
            await clock.sleep(one)
            return None
        return one

    monkeypatch.setattr("bot.jobs.file_watch.asyncio.to_thread", at_once)
    watch = FileWatch(database, Path("hazina.db"), clock)
    watch.watch()
    return watch


async def test_the_whole_file_is_read_again_and_again(
    world: World, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = world.app.database
    locked = DatabaseFailed("database is locked")
    watch = await watched(database, clock, monkeypatch, [None, locked, "Tree 7: page 9"])
    await advance(clock, 2 * EVERY_S)
    assert database.damaged is None
    await advance(clock, EVERY_S)
    assert database.damaged == "Tree 7: page 9"
    watch.stop()


async def test_a_file_that_takes_long_to_read_is_read_less_often(
    world: World, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Any] = [2.0, None]
    watch = await watched(world.app.database, clock, monkeypatch, found)
    await advance(clock, EVERY_S + 2 + 2 * PAUSES - 1)
    assert len(found) == 1
    await advance(clock, 1)
    assert found == []
    watch.stop()


def test_a_disk_is_asked_as_the_machine_knows_it(tmp_path: Path) -> None:
    disk = os.statvfs(tmp_path)
    assert readiness._is_full(tmp_path) is (disk.f_bavail * disk.f_frsize < readiness.FREE_MIN)
