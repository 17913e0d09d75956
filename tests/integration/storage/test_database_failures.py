"""When the disk, a commit or the process fails, no caller is told of a success that never was."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.domain.database import DatabaseUnavailable, Priority
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit.held_writer import Box, Gate, hear, held, noted, send

PAGES_LEFT = 4


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "hazina.db")


@pytest.fixture(autouse=True)
def batches_without_a_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a slow machine one function would take as long as a batch may, and commit alone."""
    monkeypatch.setattr("storage.sqlite.batch.BATCH_MS", 60_000)


@pytest.fixture
async def database(box: Box) -> AsyncIterator[Database]:
    async with box.opened() as database:
        yield database


def _fill_the_disk(tx: StoreTx) -> None:
    """Use up the pages; SQLite itself ends the transaction when none is left."""
    (pages,) = tx.conn.execute("PRAGMA page_count").fetchone()
    tx.conn.execute(f"PRAGMA max_page_count = {pages + PAGES_LEFT}")
    tx.conn.execute("CREATE TABLE heap (load BLOB NOT NULL) STRICT")
    tx.conn.execute("INSERT INTO heap (load) VALUES (zeroblob(1000000))")


def _roll_back(tx: StoreTx) -> None:
    tx.conn.execute("ROLLBACK")


def _roll_back_and_raise(tx: StoreTx) -> None:
    tx.conn.execute("ROLLBACK")
    raise LookupError


def _fail_the_commit(tx: StoreTx) -> None:
    """Add a dangling foreign key that is checked only when the transaction commits."""
    tx.conn.execute("PRAGMA defer_foreign_keys = ON")
    tx.conn.execute(
        "INSERT INTO accounts (partner, kind, currency, normal_side, no_overdraft)"
        " VALUES ('NOBODY', 'wallet', 'KES', 'credit', 1)"
    )


losses = pytest.mark.parametrize(
    "lose",
    [_fill_the_disk, _roll_back, _roll_back_and_raise, _fail_the_commit],
    ids=["disk-full", "rollback", "rollback-and-raise", "commit-fails"],
)
Lose = Callable[[StoreTx], None]


@losses
async def test_nobody_in_a_lost_batch_is_told_success(
    box: Box, database: Database, lose: Lose
) -> None:
    async with held(database):
        tasks = await send(database, [box.note(1), lose, box.note(2)])
    assert [type(told) for told in await hear(tasks)] == [DatabaseUnavailable] * 3


@losses
async def test_a_lost_batch_leaves_nothing(box: Box, database: Database, lose: Lose) -> None:
    async with held(database):
        tasks = await send(database, [box.note(1), lose, box.note(2)])
    await hear(tasks)
    assert await database.read(noted) == []


@losses
async def test_after_a_lost_batch_the_database_works_again(
    box: Box, database: Database, lose: Lose
) -> None:
    await hear(await send(database, [lose]))
    assert await database.write(box.note(1)) == 1
    assert await database.read(noted) == [1]


@losses
async def test_what_was_committed_before_a_lost_batch_stands(
    box: Box, database: Database, lose: Lose
) -> None:
    await database.write(box.note(1))
    await hear(await send(database, [lose]))
    assert await database.read(noted) == [1]


async def test_those_who_wait_behind_a_lost_batch_are_not_told_success_either(
    box: Box, database: Database
) -> None:
    gate = Gate()

    def lose(tx: StoreTx) -> None:
        gate.pass_through()
        _roll_back(tx)

    tasks = await send(database, [lose])
    await gate.reached()
    tasks += await send(database, [box.note(1)])
    tasks += await send(database, [box.note(2)], Priority.JOBS)
    gate.open()
    assert [type(told) for told in await hear(tasks)] == [DatabaseUnavailable] * 3
    assert await database.read(noted) == []


async def test_a_reopened_writer_keeps_the_rules_of_the_first(database: Database) -> None:
    await hear(await send(database, [_roll_back]))

    def pragmas(tx: StoreTx) -> list[int]:
        names = ("PRAGMA synchronous", "PRAGMA foreign_keys", "PRAGMA recursive_triggers")
        return [tx.conn.execute(name).fetchone()[0] for name in names]

    assert await database.write(pragmas) == [2, 1, 1]


async def test_the_moment_does_not_leap_back_over_a_reopening(box: Box, database: Database) -> None:
    box.hand.move(3600)
    latest = await database.write(lambda tx: tx.now)
    with pytest.raises(DatabaseUnavailable):
        await database.write(lambda tx: tx.conn.execute("ROLLBACK"))
    box.hand.move(-4)
    assert await database.write(lambda tx: tx.now) >= latest


async def test_those_in_a_lost_batch_are_told_why(box: Box, database: Database) -> None:
    async with held(database):
        tasks = await send(database, [box.note(1), _roll_back_and_raise])
    assert [str(told) for told in await hear(tasks)] == ["the transaction was lost"] * 2


async def test_a_failed_database_says_so_in_the_log(database: Database) -> None:
    with capture_logs() as logs:
        await hear(await send(database, [_roll_back]))
    assert ("error", "the database failed and will be reopened") in [
        (log["log_level"], log["event"]) for log in logs
    ]


async def test_a_caller_that_left_a_lost_batch_hinders_nobody(box: Box, database: Database) -> None:
    async with held(database):
        tasks = await send(database, [box.note(1), _roll_back, box.note(2)])
        tasks[0].cancel()
    await hear(tasks)
    assert await database.write(box.note(3)) == 3


def _run_out(tx: StoreTx) -> None:
    next(iter([]))


def _cancel(tx: StoreTx) -> None:
    raise asyncio.CancelledError


@pytest.mark.parametrize("raises", [_run_out, _cancel])
async def test_what_a_future_cannot_carry_is_told_as_an_error_and_holds_up_nobody(
    box: Box, database: Database, raises: Lose
) -> None:
    async with held(database):
        tasks = await send(database, [raises, box.note(1)])
    failed, told = await hear(tasks)
    assert isinstance(failed, RuntimeError)
    assert told == 1


async def test_a_read_that_runs_out_of_an_iterator_is_told_so(database: Database) -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        await asyncio.wait_for(database.read(_run_out), 1)


async def test_a_commit_that_fails_on_the_disk_is_told_to_all(box: Box, database: Database) -> None:
    gate = box.probe.holds["after-commit"] = Gate()
    tasks = await send(database, [lambda tx: None])
    await gate.reached()
    tasks = await send(database, [box.note(1), box.note(2)])
    box.probe.fail_next_commit = True
    gate.open()
    told = await hear(tasks)
    assert [str(error) for error in told] == ["disk I/O error"] * 2
    assert await database.write(box.note(3)) == 3
    assert await database.read(noted) == [3]


async def test_a_database_that_another_program_holds_is_unavailable_and_comes_back(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.sqlite.connection.BUSY_TIMEOUT_MS", 10)
    async with box.opened() as database:
        outside = sqlite3.connect(box.path, isolation_level=None)
        outside.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailable, match="locked"):
            await database.write(box.note(1))
        outside.execute("ROLLBACK")
        outside.close()
        assert await database.write(box.note(2)) == 2
        assert await database.read(noted) == [2]


# Killed -------------------------------------------------------------------------------------


@pytest.mark.parametrize("point", ["commit", "after-commit"])
async def test_a_killed_process_tells_nobody_anything(box: Box, point: str) -> None:
    async with box.opened() as database:
        async with held(database):
            box.probe.kill_at = point
            batch = await send(database, [box.note(1), box.note(2)])
        assert [type(told) for told in await hear(batch)] == [asyncio.CancelledError] * 2


@pytest.mark.parametrize(("point", "kept"), [("commit", []), ("after-commit", [1, 2])])
async def test_only_a_commit_survives_a_kill(box: Box, point: str, kept: list[int]) -> None:
    async with box.opened() as database:
        gate = box.probe.holds["commit"] = Gate()
        first = await send(database, [lambda tx: None])
        await gate.reached()
        batch = await send(database, [box.note(1), box.note(2)])
        box.probe.holds["commit"] = last = Gate()
        gate.open()
        await last.reached()
        box.probe.kill_at = point
        last.open()
        await hear([*first, *batch])
    box.probe.kill_at = None
    async with box.opened() as database:
        assert await database.read(noted) == kept


async def test_those_who_wait_behind_a_kill_are_neither_served_nor_told(box: Box) -> None:
    async with box.opened() as database:
        gate = box.probe.holds["commit"] = Gate()
        tasks = await send(database, [box.note(1)])
        await gate.reached()
        box.probe.kill_at = "commit"
        tasks += await send(database, [box.note(2)])
        gate.open()
        assert [type(told) for told in await hear(tasks)] == [asyncio.CancelledError] * 2
        assert await database.read(noted) == []


async def test_a_killed_database_takes_no_more_work(box: Box) -> None:
    async with box.opened() as database:
        database.simulate_crash()
        with pytest.raises(asyncio.CancelledError, match="killed"):
            await database.write(box.note(1))
        assert await database.read(noted) == []
