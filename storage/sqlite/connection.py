"""The two kinds of SQLite connection: one with a thread of its own, and one without."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Generic, TypeAlias, TypeVar

import aiosqlite

T = TypeVar("T")

BUSY_TIMEOUT_MS = 5_000
PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA recursive_triggers = ON",
    "PRAGMA cache_size = -65536",
    "PRAGMA temp_store = MEMORY",
)
DURABLE = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL")


# sqlite3 raises and swallows an error for each NULL that is bound, unless it knows what to bind:
# what an empty dict says for None is None, and is asked seven times a turn.
_NOTHING: dict[None, None] = {}
sqlite3.register_adapter(type(None), _NOTHING.get)


class ReaderFuture(Generic[T]):
    """Stands where aiosqlite's thread looks for a future: the reader is given back and its
    caller told in one step of the event loop, where a future with callbacks takes three."""

    __slots__ = ("_answer", "_give_back")

    def __init__(self, answer: asyncio.Future[T], give_back: Callable[[], None]) -> None:
        self._answer = answer
        self._give_back = give_back

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._answer.get_loop()

    def done(self) -> bool:
        """Never before its thread says so, though its caller may have gone away."""
        return False

    def set_result(self, result: T) -> None:
        self._give_back()
        if not self._answer.done():
            self._answer.set_result(result)

    def set_exception(self, error: BaseException) -> None:
        self._give_back()
        if not self._answer.done():
            self._answer.set_exception(error)


class ThreadConnection(aiosqlite.Connection):
    """aiosqlite runs one queued function at a time on its thread; we queue whole functions."""

    async def run(self, function: Callable[[], T]) -> T:
        execute: Callable[[Callable[[], T]], Awaitable[T]] = self._execute
        return await execute(function)

    def queue(self, function: Callable[[], T], reading: ReaderFuture[T] | None) -> None:
        """Run ``function`` on the thread and tell ``reading`` what came of it."""
        queue: SimpleQueue[Any] = self._tx
        queue.put_nowait((reading, function))

    @property
    def raw(self) -> sqlite3.Connection:
        return self._conn


class InlineConnection:
    """A connection without a thread: what it is given is done before it returns.

    For simulations that must be the same every time, whatever the machine does beside them.
    One that is ``kept`` goes on after a simulated crash, with what was committed.
    """

    def __init__(self, raw: sqlite3.Connection, *, kept: bool) -> None:
        self.raw = raw
        self._kept = kept

    async def run(self, function: Callable[[], T]) -> T:
        return function()

    async def close(self) -> None:
        if not self._kept:
            self.raw.close()
        elif self.raw.in_transaction:
            self.raw.execute("ROLLBACK")


WriterConnection: TypeAlias = "ThreadConnection | InlineConnection"


def connect(path: Path | str) -> sqlite3.Connection:
    return sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None, cached_statements=512
    )


async def connect_in_thread(connector: Callable[[], sqlite3.Connection]) -> ThreadConnection:
    connection = ThreadConnection(connector, iter_chunk_size=64)
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
