"""One writer that commits many functions at once, and readers that never wait for it.

A function is the unit: it takes the transaction, runs to its end on the writer's thread, and its
caller hears back only after the commit that holds it.
"""

from __future__ import annotations

import asyncio
import math
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from datetime import datetime
from enum import IntEnum
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Generic, TypeAlias, TypeVar

import aiosqlite
import structlog

from storage.after_restore import recover_after_restore
from storage.sqlite import damage
from storage.sqlite.damage import DatabaseDamaged, FileCheck
from storage.sqlite.database_file import DatabaseFile, DatabaseFileMoved
from storage.sqlite.empty_database import empty_database
from storage.sqlite.migrate import MigrationError, migrate, pending_migrations
from storage.stores.clock import ClockFollower, ClockStep
from storage.time.timekeeper import Timekeeper
from storage.transaction import SqliteTx

T = TypeVar("T")
_log = structlog.get_logger(__name__)

BATCH_MAX = 256  # functions in one commit
JOBS_SHARE = 32  # functions of jobs that a batch takes even where people would fill it
BATCH_MS = 20  # after which a batch commits what it has
READERS = 2
HAND_OVER_S = 0.00005  # in which a reader's thread gets hold of the interpreter
BUSY_TIMEOUT_MS = 5_000
LOOK_EVERY_S = 0.25  # at the file's name, while there is something to write
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


class DatabaseUnavailable(Exception):
    """Nothing of the batch was committed; the database is being reopened. Try again."""


class SimulatedCrash(BaseException):
    """Raised by a probe: the writer stops where it stands, as if the process had been killed."""


class Priority(IntEnum):
    """Who is served first when both wait."""

    PEOPLE = 0
    JOBS = 1


class _QueuedWrite(Generic[T]):
    __slots__ = ("error", "function", "future", "priority", "result")

    def __init__(
        self, function: Callable[[SqliteTx], T], future: asyncio.Future[T], priority: Priority
    ) -> None:
        self.function = function
        self.future = future
        self.priority = priority
        self.result: T
        self.error: Exception | None = None

    def tell(self) -> None:
        """Its caller hears what came of it, unless it has gone away."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class _ReaderFuture(Generic[T]):
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


class _Connection(aiosqlite.Connection):
    """aiosqlite runs one queued function at a time on its thread; we queue whole functions."""

    async def run(self, function: Callable[[], T]) -> T:
        execute: Callable[[Callable[[], T]], Awaitable[T]] = self._execute
        return await execute(function)

    def queue(self, function: Callable[[], T], reading: _ReaderFuture[T] | None) -> None:
        """Run ``function`` on the thread and tell ``reading`` what came of it."""
        queue: SimpleQueue[Any] = self._tx
        queue.put_nowait((reading, function))

    @property
    def raw(self) -> sqlite3.Connection:
        return self._conn


class _Inline:
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


_WriterConnection: TypeAlias = "_Connection | _Inline"


class Database:
    """Opened by ``open``; every method belongs to the event loop's thread."""

    def __init__(
        self,
        path: Path,
        time: Timekeeper,
        probe: Callable[[str], None],
        threads: bool,
        memory: sqlite3.Connection | None,
    ) -> None:
        self._path = path
        self._threads = threads
        self._memory = memory
        self.time = time
        self.stepped: Callable[[ClockStep], None] = lambda step: None
        self._clock = ClockFollower(time)
        self._probe = probe
        self._writer: _WriterConnection | None = None
        self._tx: SqliteTx | None = None
        self._reading: SqliteTx | None = None  # on the writer's connection, without threads
        self._readers: asyncio.LifoQueue[tuple[_Connection, SqliteTx]] = asyncio.LifoQueue()
        self._waiting: tuple[deque[_QueuedWrite[Any]], deque[_QueuedWrite[Any]]] = (
            deque(),
            deque(),
        )
        self._draining: asyncio.Task[None] | asyncio.Handle | None = None
        self._file: DatabaseFile | None = None
        self._looked_at = -math.inf
        self._batch_since: float | None = None
        self.damaged: str | None = None  # what SQLite has said of the file, in its own words
        self._readers_open = 0
        self._steps: list[ClockStep] = []  # of the clock, that nobody was told of yet
        self._has_begun = False
        self._killed = False
        self._closing = False
        self.in_flight = 0

    @classmethod
    async def open(
        cls,
        path: Path,
        now: Callable[[], datetime],
        *,
        monotonic: Callable[[], float] | None = None,
        probe: Callable[[str], None] = lambda point: None,
        migrating: bool = True,
        threads: bool = True,
        memory: sqlite3.Connection | None = None,
    ) -> Database:
        """Lock, migrate and open; in a backup, make unknown what may have been done since.

        ``now`` is the machine's clock and ``monotonic`` the seconds that have passed, both read on
        any thread; ``time`` is what the desk makes of them, and ``stepped`` is told after the
        commit that has followed a step of the clock. Without ``monotonic`` a clock that was set
        ahead is taken for time that has passed. ``probe`` is told "commit" before each commit and
        "after-commit" behind it. Without ``threads`` everything is done on the event loop, in the
        order in which it was asked for, and may be done in ``memory``, from ``in_memory``,
        instead of the file; its owner keeps it. Raises ``DatabaseDamaged``, ``MigrationError``
        (with ``migrating=False`` also when a migration is pending), and what
        ``DatabaseFile.hold`` raises.
        """
        assert memory is None or not threads, "memory belongs to one thread"
        database = cls(path, Timekeeper(now, monotonic), probe, threads, memory)
        if memory is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            database._file = DatabaseFile.hold(path)
        try:
            if memory is None:
                _check(path)  # here: until it is open there is nobody to serve
            await database._open_writer(migrating)
            for _ in range(READERS if threads else 0):
                reader = await _threaded(database._connect)
                await _prepare(reader, (*DURABLE, *PRAGMAS, "PRAGMA query_only = ON"))
                database._readers.put_nowait((reader, SqliteTx(reader.raw)))
                database._readers_open += 1
        except BaseException:
            await database.close()
            raise
        return database

    async def write(
        self, function: Callable[[SqliteTx], T], priority: Priority = Priority.PEOPLE
    ) -> T:
        """Run ``function`` within the next commit; returns after that commit.

        What it raises is raised here, with its own work rolled back alone. Raises
        ``DatabaseUnavailable`` when the commit itself failed: nothing happened.
        """
        if self._killed:
            raise asyncio.CancelledError("the database was killed")
        if self._closing:
            raise DatabaseUnavailable("the database is closed")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        job = _QueuedWrite(function, future, priority)
        self._waiting[priority].append(job)
        self.in_flight += 1
        try:
            if self._draining is None:
                if self._threads:
                    self._draining = asyncio.create_task(self._drain())
                else:
                    self._draining = asyncio.get_running_loop().call_soon(self._drain_now)
            return await future
        finally:
            self.in_flight -= 1

    async def follow_clock(self) -> None:
        """Follow a step of the clock, though nobody writes anything."""
        if self._clock.is_behind:
            await self.write(lambda tx: None, Priority.JOBS)

    async def read(self, function: Callable[[SqliteTx], T]) -> T:
        """Run ``function`` on one consistent snapshot, beside the writer."""
        if self._closing:
            raise DatabaseUnavailable("the database is closed")
        if not self._threads:
            return self._read_between(function)
        reader, tx = await self._readers.get()
        self.in_flight += 1
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def give_back() -> None:
            self.in_flight -= 1
            self._readers.put_nowait((reader, tx))

        # When its thread is done with it, also when its caller has gone away.
        reader.queue(partial(self._run_read, tx, function), _ReaderFuture(answer, give_back))
        reader.queue(partial(_end_read, tx), None)  # after the caller was told
        # Threads that wait for the interpreter are not served in turn: a loop that only ever lets
        # go of it for microseconds would keep a reader out for milliseconds.
        time.sleep(HAND_OVER_S)  # noqa: ASYNC251 - so that the interpreter is let go
        return await answer

    def _read_between(self, function: Callable[[SqliteTx], T]) -> T:
        """Without threads no batch is under way while somebody reads: its connection is free."""
        if self._killed:
            raise asyncio.CancelledError("the database was killed")
        tx = self._reading
        if tx is None:
            raise DatabaseUnavailable("the database failed and was not reopened yet")
        changes = tx.conn.total_changes
        try:
            result = self._run_read(tx, function)
        finally:
            _end_read(tx)
        if tx.conn.total_changes != changes:
            raise sqlite3.OperationalError("attempt to write where only reading is meant")
        return result

    @property
    def waiting(self) -> int:
        """Functions that wait for the writer, behind the batch in hand."""
        return sum(len(queue) for queue in self._waiting)

    @property
    def batch_s(self) -> float:
        """For how long the writer's thread has had the batch in hand; zero while it has none."""
        since = self._batch_since
        return 0.0 if since is None else time.monotonic() - since

    def check_for_damage(self, error: BaseException | None) -> None:
        """Whoever meets an error that may tell of damage says so here, on any thread."""
        why = damage.damage_reported_by(error)
        if why is not None:
            self.mark_damaged(why)

    def mark_damaged(self, why: str) -> None:
        if self.damaged is None:
            self.damaged = why
            _log.critical("the database is damaged: restore a backup", why=why)

    @property
    def size_bytes(self) -> int:
        """On disk, with what is not yet copied from the log into the file."""
        files = (self._path, self._path.with_name(f"{self._path.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    async def close(self) -> None:
        """Finish what waits, take nothing more, then close. The lock is given back last."""
        self._closing = True
        if isinstance(self._draining, asyncio.Handle):
            self._draining.cancel()
            self._drain_now()
        elif self._draining is not None:
            await self._draining
        while self._readers_open:
            reader, _ = await self._readers.get()
            self._readers_open -= 1
            await reader.close()
        await self._close_writer()
        if self._file is not None:
            self._file.release()
            self._file = None

    def simulate_crash(self) -> None:
        """Nobody is told anything any more, and nothing more is written: a simulated crash."""
        self._killed = True
        for queue in self._waiting:
            for job in queue:
                job.future.cancel()
            queue.clear()

    # The writer -----------------------------------------------------------------------------

    async def _open_writer(self, migrating: bool) -> None:
        if self._threads:
            self._writer = await _threaded(self._connect)
        elif self._memory is None:
            self._writer = _Inline(self._connect(), kept=False)
        else:
            self._writer = _Inline(self._memory, kept=True)
        # Before anything is written: another program's file stays as it is.
        missing = await self._writer.run(partial(pending_migrations, self._writer.raw))
        if self._memory is None:
            await _prepare(self._writer, (*DURABLE, *PRAGMAS))
        if missing and not migrating:
            raise MigrationError(f"{missing[0].name} is pending: run `hazina migrate`")
        if missing:
            await self._writer.run(partial(migrate, self._writer.raw))
        self._tx = SqliteTx(self._writer.raw)
        if not self._has_begun:
            newest = await self._writer.run(self._tx.clock.newest)
            self.time.begin(newest, await self._writer.run(self._tx.clock.clock_offset))
            self._has_begun = True
        await self._writer.run(partial(self._recover_if_restored, self._tx))
        if not self._threads:
            self._reading = SqliteTx(self._writer.raw)
        if self._file is not None and not self._readers_open:  # else those keep what was noted
            self._file.record_side_files()

    def _connect(self) -> sqlite3.Connection:
        """On the connection's thread. Raises ``DatabaseFileMoved``: another file is not opened."""
        if self._file is not None:
            self._file.verify()
        return _connector(self._path)

    def _recover_if_restored(self, tx: SqliteTx) -> None:
        """What may have been done after a backup is unknown before anybody works with it."""
        if tx.restores.backup_made_at() is None:
            return
        tx.conn.execute("BEGIN IMMEDIATE")
        try:
            self._clock.begin(tx)
            recover_after_restore(tx)
            tx.conn.execute("COMMIT")
        except BaseException:
            self._clock.rolled_back()
            tx.forget()
            if tx.conn.in_transaction:
                tx.conn.execute("ROLLBACK")
            raise
        self._steps += self._clock.committed()

    async def _close_writer(self) -> None:
        writer, self._writer, self._tx, self._reading = self._writer, None, None, None
        if writer is not None:
            await writer.close()
        if self._file is not None and not self._readers_open:
            self._file.forget()

    def _drain_now(self) -> None:
        """Without threads nothing in it ever waits: it needs no task of its own."""
        try:
            self._drain().send(None)
        except StopIteration:
            return
        raise RuntimeError("something waits where there is no thread to wait for")

    async def _drain(self) -> None:
        people, jobs = self._waiting
        try:
            while people or jobs:
                if self._killed:
                    return
                batch: list[_QueuedWrite[Any]] = []
                room = BATCH_MAX - min(len(jobs), JOBS_SHARE)
                while people and len(batch) < room:
                    batch.append(people.popleft())
                while jobs and len(batch) < BATCH_MAX:
                    batch.append(jobs.popleft())
                try:
                    if self._writer is None:
                        await self._open_writer(migrating=False)
                    assert self._writer is not None
                    self._batch_since = time.monotonic()
                    done = await self._writer.run(partial(self._run_batch, batch))
                except SimulatedCrash:
                    self.simulate_crash()
                except DatabaseFileMoved as error:
                    self._refuse(batch, error)
                    continue
                except Exception as error:  # noqa: BLE001  whatever it was, nobody waits for ever
                    await self._fail(batch, error)
                    continue
                finally:
                    self._batch_since = None
                for n, job in enumerate(batch):
                    if n and self._threads:  # others that are ready wait for none but the first
                        await asyncio.sleep(0)
                    if self._killed:
                        job.future.cancel()
                    elif n < done:
                        job.tell()
                if self._killed:
                    return
                for job in reversed(batch[done:]):
                    self._waiting[job.priority].appendleft(job)
                steps, self._steps = self._steps, []
                for step in steps:
                    self.stepped(step)
        finally:
            self._draining = None

    async def _fail(self, batch: list[_QueuedWrite[Any]], error: Exception) -> None:
        """Nobody in the batch, nor behind it, is told success; the next write reopens."""
        _log.error("the database failed and will be reopened", why=str(error))
        self.check_for_damage(error)
        self._fail_waiting(batch, error)
        try:
            await self._close_writer()
        except (sqlite3.Error, ValueError):
            _log.exception("closing the failed writer")

    def _refuse(self, batch: list[_QueuedWrite[Any]], error: DatabaseFileMoved) -> None:
        """Nothing is written until the file is back; closed, it might be gone for good."""
        _log.critical("nothing is written: the database's file is not in its place", why=str(error))
        self._fail_waiting(batch, error)

    def _fail_waiting(self, batch: list[_QueuedWrite[Any]], error: Exception) -> None:
        for job in (*batch, *self._waiting[0], *self._waiting[1]):
            if not job.future.done():
                job.future.set_exception(DatabaseUnavailable(str(error)))
        for queue in self._waiting:
            queue.clear()

    def _run_batch(self, batch: list[_QueuedWrite[Any]]) -> int:
        """On the writer's thread: one transaction, and a savepoint each where they are several.

        Returns how many were run.
        """
        tx = self._tx
        assert tx is not None
        if self._file is not None and time.monotonic() - self._looked_at >= LOOK_EVERY_S:
            self._file.verify()
            self._looked_at = time.monotonic()
        conn = tx.conn
        control = conn.cursor()  # one for all that begins and ends
        control.execute("BEGIN IMMEDIATE")
        try:
            done = self._run_functions(control, tx, batch)
            self._probe("commit")
            control.execute("COMMIT")
        except BaseException as error:
            self._clock.rolled_back()
            if not isinstance(error, sqlite3.Error):
                raise
            tx.forget()
            if conn.in_transaction:
                control.execute("ROLLBACK")
            raise
        self._steps += self._clock.committed()
        self._probe("after-commit")
        return done

    def _run_functions(
        self, control: sqlite3.Cursor, tx: SqliteTx, batch: list[_QueuedWrite[Any]]
    ) -> int:
        ends_at = time.monotonic() + (BATCH_MS / 1000 if self._threads else math.inf)
        alone = len(batch) == 1  # then the transaction itself is its savepoint
        for done, job in enumerate(batch, start=1):
            if job.future.done():  # its caller has gone away
                continue
            if self._clock.begin(tx):
                alone = False  # what it wrote is not taken back with the function's own work
            if not alone:
                control.execute("SAVEPOINT one")
            try:
                job.result = job.function(tx)
            except SimulatedCrash:
                raise
            except BaseException as error:
                job.error = _for_a_future(error)
                self.check_for_damage(error)
                tx.forget()
                # SQLite ends the transaction itself when the disk is full or fails: then the
                # work of the others in the batch is gone too, and all must hear of it.
                if not tx.conn.in_transaction:
                    raise sqlite3.OperationalError("the transaction was lost") from error
                if alone:
                    control.execute("ROLLBACK")
                    control.execute("BEGIN IMMEDIATE")
                else:
                    control.execute("ROLLBACK TO one")
            if not alone:
                control.execute("RELEASE one")
            if time.monotonic() > ends_at:
                return done
        return len(batch)

    def _run_read(self, tx: SqliteTx, function: Callable[[SqliteTx], T]) -> T:
        tx.conn.execute("BEGIN")
        self._clock.begin_reading(tx)
        try:
            return function(tx)
        except StopIteration as error:
            raise _for_a_future(error) from error
        except sqlite3.DatabaseError as error:
            self.check_for_damage(error)
            raise


def _end_read(tx: SqliteTx) -> None:
    """Let the snapshot go."""
    tx.forget()
    tx.conn.execute("ROLLBACK")


def _for_a_future(error: BaseException) -> Exception:
    """What a future can carry: it takes no ``StopIteration``, and a function cannot cancel."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    wrapped = RuntimeError(f"a database function raised {type(error).__name__}")
    wrapped.__cause__ = error
    return wrapped


def _check(path: Path) -> None:
    """Nothing is done with a file that is damaged. Raises ``DatabaseDamaged``."""
    wrong = FileCheck(path).run()
    if wrong is not None:
        raise DatabaseDamaged(f"{path} is damaged, restore a backup: {wrong}")


def in_memory() -> sqlite3.Connection:
    """A blank database that is gone when it is closed, for ``Database.open`` without threads."""
    conn = _connector(":memory:")
    with closing(_connector(":memory:")) as made:
        made.deserialize(empty_database())
        made.backup(conn)
    for pragma in PRAGMAS:  # once: after each of them every statement is prepared anew
        conn.execute(pragma)
    return conn


def _connector(path: Path | str) -> sqlite3.Connection:
    return sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None, cached_statements=512
    )


async def _threaded(connect: Callable[[], sqlite3.Connection]) -> _Connection:
    connection = _Connection(connect, iter_chunk_size=64)
    await connection
    return connection


async def _prepare(connection: _WriterConnection, pragmas: Sequence[str]) -> None:
    def prepare() -> None:
        for pragma in pragmas:
            connection.raw.execute(pragma)

    try:
        await connection.run(prepare)
    except BaseException:
        await connection.close()
        raise
