"""SQLite connections: on a thread of their own, or inline on the caller's."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeAlias, TypeVar

import aiosqlite

from storage.readers import WorkEnded

T = TypeVar("T")

BUSY_TIMEOUT_MS = 5_000
PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA recursive_triggers = ON",
    "PRAGMA cache_size = -65536",
    "PRAGMA temp_store = MEMORY",
)
DURABLE = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL")


# Without an adapter, sqlite3 raises and swallows an error for every bound NULL, about seven times a
# turn. An empty dict's ``get`` returns None for None, so it serves as the adapter.
_NOTHING: dict[None, None] = {}
sqlite3.register_adapter(type(None), _NOTHING.get)


class ThreadConnection(aiosqlite.Connection):
    """Runs whole functions on aiosqlite's thread, one at a time.

    aiosqlite has a method for each statement and none for a function, and a switch of threads for
    each statement would cost fifty times the statement itself (docs/decisions/0002). So functions
    are put where its own methods put theirs: into the queue of (future, function) that its thread
    works off. That queue is the only private attribute used.
    """

    raw: sqlite3.Connection  # once it is connected

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        """Raises ``RuntimeError`` when this aiosqlite has no such queue."""

        def connect() -> sqlite3.Connection:
            self.raw = connector()
            return self.raw

        super().__init__(connect, iter_chunk_size=64)
        queue = getattr(self, "_tx", None)
        if not isinstance(queue, SimpleQueue):
            raise RuntimeError(f"aiosqlite {version('aiosqlite')} has no queue to put functions in")
        self._functions: SimpleQueue[Any] = queue

    async def run(self, function: Callable[[], T]) -> T:
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._functions.put_nowait((answer, function))
        return await answer

    def queue(self, function: Callable[[], None], ended: WorkEnded) -> None:
        """Run ``function`` on the thread, and report to ``ended``."""
        self._functions.put_nowait((ended, function))


class InlineConnection:
    """A connection without a thread: each function has run when the call returns.

    For simulations that must be deterministic on any machine. A ``persistent`` connection
    survives a simulated crash, with what was committed.
    """

    def __init__(self, raw: sqlite3.Connection, *, persistent: bool) -> None:
        self.raw = raw
        self._persistent = persistent

    async def run(self, function: Callable[[], T]) -> T:
        return function()

    async def close(self) -> None:
        if not self._persistent:
            self.raw.close()
        elif self.raw.in_transaction:
            self.raw.execute("ROLLBACK")


WriterConnection: TypeAlias = "ThreadConnection | InlineConnection"


def connect(path: Path | str) -> sqlite3.Connection:
    return sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None, cached_statements=512
    )


async def connect_in_thread(connector: Callable[[], sqlite3.Connection]) -> ThreadConnection:
    connection = ThreadConnection(connector)
    await connection
    return connection


async def apply_pragmas(connection: WriterConnection, pragmas: Sequence[str]) -> None:
    def prepare() -> None:
        for pragma in pragmas:
            connection.raw.execute(pragma)

    try:
        await connection.run(prepare)
    except BaseException:
        await connection.close()
        raise
