"""A database whose writer a test can hold, and a probe that records its commits."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from services.domain.database import Priority, SimulatedCrash
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit.blank_file import blank_file

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
PATIENCE_S = 5.0  # a hanging test fails after this

Work = Callable[[StoreTx], Any]


class Gate:
    """Blocks the thread that passes through it until ``open`` is called."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._open = threading.Event()

    def pass_through(self) -> None:
        self._reached.set()
        assert self._open.wait(PATIENCE_S), "the gate was never opened"

    async def reached(self) -> None:
        assert await asyncio.to_thread(self._reached.wait, PATIENCE_S), "nobody came to the gate"

    def open(self) -> None:
        self._open.set()


class Probe:
    """Records how many notes each commit held; holds, fails or kills where it is told to."""

    def __init__(self) -> None:
        self.commits: list[int] = []
        self.ran = 0
        self.kill_at: str | None = None
        self.fail_next_commit = False
        self.holds: dict[str, Gate] = {}

    def __call__(self, point: str) -> None:
        if point == "commit":
            self.commits.append(self.ran)
            self.ran = 0
        if point in self.holds:
            self.holds.pop(point).pass_through()
        if point == "commit" and self.fail_next_commit:
            self.fail_next_commit = False
            raise sqlite3.OperationalError("disk I/O error")
        if point == self.kill_at:
            raise SimulatedCrash


class Hand:
    """A clock that tests move, read once per function."""

    def __init__(self) -> None:
        self.at = START
        self.readings = 0

    def __call__(self) -> datetime:
        self.readings += 1
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Box:
    """One database file with a table of numbers that a test can open repeatedly."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.probe = Probe()
        self.hand = Hand()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Database]:
        database = await Database.open(blank_file(self.path), self.hand, probe=self.probe)
        try:
            await database.write(_make_notes)
            self.probe.commits.clear()
            yield database
        finally:
            async with asyncio.timeout(PATIENCE_S):
                await database.close()

    def note(self, number: int) -> Work:
        """A function that writes ``number`` to the table."""

        def write(tx: StoreTx) -> int:
            self.probe.ran += 1
            tx.conn.execute("INSERT INTO notes (number) VALUES (?)", (number,))
            return number

        return write


def _make_notes(tx: StoreTx) -> None:
    tx.conn.execute("CREATE TABLE IF NOT EXISTS notes (number INTEGER NOT NULL) STRICT")


def noted(tx: StoreTx) -> list[int]:
    """The numbers in the order they were written."""
    return [number for (number,) in tx.conn.execute("SELECT number FROM notes ORDER BY rowid")]


async def send(
    database: Database, works: Iterable[Work], priority: Priority = Priority.PEOPLE
) -> list[asyncio.Task[Any]]:
    """Submit the functions; returns the callers' waiting tasks."""
    tasks = [asyncio.ensure_future(database.write(work, priority)) for work in works]
    await asyncio.sleep(0)
    return tasks


async def hear(tasks: Iterable[asyncio.Task[Any]]) -> list[Any]:
    """Each caller's result, or the exception it received."""
    async with asyncio.timeout(PATIENCE_S):
        return await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def held(database: Database) -> AsyncIterator[None]:
    """Hold the writer; functions sent meanwhile wait and are committed together afterwards."""
    gate = Gate()
    (task,) = await send(database, [lambda tx: gate.pass_through()])
    await gate.reached()
    try:
        yield
    finally:
        gate.open()
        await hear([task])
