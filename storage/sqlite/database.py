"""One writer that commits many functions at once, and readers that never wait for it.

The unit of work is a function: it gets the transaction and runs to completion on the writer's
thread, and its caller resumes only after the commit that contains it.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog

from services.domain.clock_step import ClockStep
from services.domain.database import (
    DatabaseFailed,
    DatabaseFileMoved,
    DatabaseUnavailable,
    MigrationError,
    Priority,
    SimulatedCrash,
)
from storage.sqlite import damage
from storage.sqlite.batch import BatchRunner, QueuedWrite, as_future_error
from storage.sqlite.connection import (
    DURABLE,
    PRAGMAS,
    InlineConnection,
    WriterConnection,
    apply_pragmas,
    connect,
    connect_in_thread,
)
from storage.sqlite.database_file import DatabaseFile
from storage.sqlite.migrate import migrate, pending_migrations
from storage.sqlite.readers import Readers
from storage.stores.clock import ClockFollower
from storage.time.timekeeper import Timekeeper
from storage.transaction import SqliteTx

T = TypeVar("T")
_log = structlog.get_logger(__name__)

BATCH_MAX = 256  # functions per commit
JOBS_SHARE = 32  # slots of a batch reserved for jobs, however many people wait
READERS = 2


class Database:
    """Created by ``open``; all methods must be called on the event loop's thread."""

    def __init__(
        self,
        path: Path,
        time: Timekeeper,
        probe: Callable[[str], None],
        threads: bool,
        memory: sqlite3.Connection | None,
        file: DatabaseFile | None,
    ) -> None:
        self._path = path
        self._file = file
        self._threads = threads
        self._memory = memory
        self.time = time
        self.stepped: Callable[[ClockStep], None] = lambda step: None
        self.changed: Callable[[frozenset[str]], None] = lambda references: None
        self.webhooks_queued: Callable[[], None] = lambda: None
        self._clock = ClockFollower(time)
        self._batches = BatchRunner(self._clock, file, probe, self.check_for_damage, timed=threads)
        self._writer: WriterConnection | None = None
        self._tx: SqliteTx | None = None
        self._reading: SqliteTx | None = None  # on the writer's connection, without threads
        self._readers = Readers(self._begin_read, _end_read, self._read_failed)
        self._waiting: tuple[deque[QueuedWrite[Any]], deque[QueuedWrite[Any]]] = (
            deque(),
            deque(),
        )
        self._draining: asyncio.Task[None] | asyncio.Handle | None = None
        self._batch_since: float | None = None
        self.damaged: str | None = None  # what SQLite reported about the file, verbatim
        self._has_begun = False
        self._killed = False
        self._closing = False
        self._writes_in_flight = 0

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
        """Lock, migrate and open; of a restored backup, mark as unknown what it cannot know.

        ``now`` is the machine's clock and ``monotonic`` counts elapsed seconds; both are read on
        any thread. ``time`` is the service's time derived from them, and ``stepped`` is called
        after the commit that followed a clock step. Without ``monotonic``, a clock set ahead counts
        as elapsed time. ``probe`` is called with "commit" before each commit and "after-commit"
        after it. Without ``threads``, everything runs on the event loop in call order, and may use
        ``memory`` (see ``empty_database``; its owner keeps it) instead of the file.

        Raises ``DatabaseDamaged``, ``MigrationError`` (with ``migrating=False`` also when a
        migration is pending), and whatever ``DatabaseFile.hold`` raises.
        """
        assert memory is None or not threads, "memory belongs to one thread"
        timekeeper, file = Timekeeper(now, monotonic), None
        if memory is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = DatabaseFile.hold(path)
        database = cls(path, timekeeper, probe, threads, memory, file)
        try:
            if memory is None:
                damage.refuse_damaged(path)  # may block: nobody is served yet
            await database._open_writer(migrating)
            for _ in range(READERS if threads else 0):
                reader = await connect_in_thread(database._connect)
                await apply_pragmas(reader, (*DURABLE, *PRAGMAS, "PRAGMA query_only = ON"))
                database._readers.add(reader)
        except BaseException:
            await database.close()
            raise
        return database

    async def write(
        self, function: Callable[[SqliteTx], T], priority: Priority = Priority.PEOPLE
    ) -> T:
        """Run ``function`` in the next commit; returns after that commit.

        An exception it raises is re-raised here (SQLite's own as ``DatabaseFailed``), and only its
        own work is rolled back. Raises ``DatabaseUnavailable`` when the commit itself failed, so
        nothing happened.
        """
        if self._killed:
            raise asyncio.CancelledError("the database was killed")
        if self._closing:
            raise DatabaseUnavailable("the database is closed")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        job = QueuedWrite(function, future, priority)
        self._waiting[priority].append(job)
        self._writes_in_flight += 1
        try:
            if self._draining is None:
                if self._threads:
                    self._draining = asyncio.create_task(self._drain())
                else:
                    self._draining = asyncio.get_running_loop().call_soon(self._drain_now)
            return await future
        finally:
            self._writes_in_flight -= 1

    async def follow_clock(self) -> None:
        """Follow a clock step even when there is nothing else to write."""
        if self._clock.is_behind:
            await self.write(lambda tx: None, Priority.JOBS)

    async def read(self, function: Callable[[SqliteTx], T]) -> T:
        """Run ``function`` on one consistent snapshot, concurrently with the writer."""
        if self._closing:
            raise DatabaseUnavailable("the database is closed")
        if not self._threads:
            return self._read_between(function)
        return await self._readers.read(function)

    def _read_between(self, function: Callable[[SqliteTx], T]) -> T:
        """Without threads no batch runs during a read, so the writer's connection is free."""
        if self._killed:
            raise asyncio.CancelledError("the database was killed")
        tx = self._reading
        if tx is None:
            raise DatabaseUnavailable("the database failed and was not reopened yet")
        changes = tx.conn.total_changes
        try:
            self._begin_read(tx)
            result = function(tx)
        except (StopIteration, sqlite3.Error) as error:
            raise self._read_failed(error) from error
        finally:
            _end_read(tx)
        if tx.conn.total_changes != changes:
            raise DatabaseFailed("attempt to write where only reading is meant")
        return result

    @property
    def sole_writer(self) -> bool:
        """Whether no other process can write, so that nobody holds what an earlier one held: the
        file is locked (docs/decisions/0025), and a database in memory has one owner."""
        return True

    @property
    def in_flight(self) -> int:
        return self._writes_in_flight + self._readers.in_flight

    @property
    def waiting(self) -> int:
        """Functions waiting for the writer, not counting the current batch."""
        return sum(len(queue) for queue in self._waiting)

    @property
    def batch_s(self) -> float:
        """How long the writer's thread has been running the current batch; zero when idle."""
        since = self._batch_since
        return 0.0 if since is None else time.monotonic() - since

    def check_for_damage(self, error: BaseException | None) -> None:
        """Report an error that may indicate damage; callable on any thread."""
        why = damage.damage_reported_by(error)
        if why is not None:
            self.mark_damaged(why)

    def mark_damaged(self, why: str) -> None:
        if self.damaged is None:
            self.damaged = why
            _log.critical("the database is damaged: restore a backup", why=why)

    @property
    def size_bytes(self) -> int:
        """On disk, including the part of the log that is not yet in the file."""
        files = (self._path, self._path.with_name(f"{self._path.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    async def close(self) -> None:
        """Finish queued writes, accept no more, then close. The file lock is released last."""
        self._closing = True
        if isinstance(self._draining, asyncio.Handle):
            self._draining.cancel()
            self._drain_now()
        elif self._draining is not None:
            await self._draining
        await self._readers.close()
        await self._close_writer()
        if self._file is not None:
            self._file.release()
            self._file = None

    def simulate_crash(self) -> None:
        """Simulate a crash: no caller is notified any more, and nothing more is written."""
        self._killed = True
        for queue in self._waiting:
            for job in queue:
                job.future.cancel()
            queue.clear()

    # The write side -------------------------------------------------------------------------

    async def _open_writer(self, migrating: bool) -> None:
        if self._threads:
            self._writer = await connect_in_thread(self._connect)
        elif self._memory is None:
            self._writer = InlineConnection(self._connect(), persistent=False)
        else:
            self._writer = InlineConnection(self._memory, persistent=True)
        # Before anything is written: another program's file must stay untouched.
        missing = await self._writer.run(partial(pending_migrations, self._writer.raw))
        if self._memory is None:
            await apply_pragmas(self._writer, (*DURABLE, *PRAGMAS))
        if missing and not migrating:
            raise MigrationError(f"{missing[0].name} is pending: run `hazina migrate`")
        if missing:
            await self._writer.run(partial(migrate, self._writer.raw))
        self._tx = SqliteTx(self._writer.raw)
        if not self._has_begun:
            newest = await self._writer.run(self._tx.clock.newest)
            self.time.begin(newest, await self._writer.run(self._tx.clock.clock_offset))
            self._has_begun = True
        await self._writer.run(partial(self._batches.recover_if_restored, self._tx))
        if not self._threads:
            self._reading = SqliteTx(self._writer.raw)
        if self._file is not None and not self._readers.open:  # readers keep the recorded files
            self._file.record_side_files()

    def _connect(self) -> sqlite3.Connection:
        """Runs on the connection's thread. Raises ``DatabaseFileMoved`` rather than open another
        file."""
        if self._file is not None:
            self._file.verify()
        return connect(self._path)

    async def _close_writer(self) -> None:
        writer, self._writer, self._tx, self._reading = self._writer, None, None, None
        if writer is not None:
            await writer.close()
        if self._file is not None and not self._readers.open:
            self._file.forget()

    def _drain_now(self) -> None:
        """Without threads nothing in ``_drain`` ever waits, so it needs no task."""
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
                batch: list[QueuedWrite[Any]] = []
                room = BATCH_MAX - min(len(jobs), JOBS_SHARE)
                while people and len(batch) < room:
                    batch.append(people.popleft())
                while jobs and len(batch) < BATCH_MAX:
                    batch.append(jobs.popleft())
                try:
                    if self._writer is None:
                        await self._open_writer(migrating=False)
                    assert self._writer is not None
                    assert self._tx is not None
                    self._batch_since = time.monotonic()
                    done = await self._writer.run(partial(self._batches.run, self._tx, batch))
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
                if not self._killed:
                    self._tell_changed(batch[:done])
                for n, job in enumerate(batch):
                    if n and self._threads:  # other ready tasks wait for the first caller only
                        await asyncio.sleep(0)
                    if self._killed:
                        job.future.cancel()
                    elif n < done:
                        job.tell()
                if self._killed:
                    return
                for job in reversed(batch[done:]):
                    self._waiting[job.priority].appendleft(job)
                steps, self._batches.steps = self._batches.steps, []
                for step in steps:
                    self.stepped(step)
                if self._tx is not None and self._tx.webhooks.take_queued():
                    self.webhooks_queued()
        finally:
            self._draining = None

    def _tell_changed(self, committed: list[QueuedWrite[Any]]) -> None:
        changed: frozenset[str] = frozenset().union(*(job.changed for job in committed))
        if changed:
            self.changed(changed)

    async def _fail(self, batch: list[QueuedWrite[Any]], error: Exception) -> None:
        """Fail every queued write; the next write reopens the database."""
        _log.error("the database failed and will be reopened", why=str(error))
        self.check_for_damage(error)
        self._fail_waiting(batch, error)
        try:
            await self._close_writer()
        except (sqlite3.Error, ValueError):
            _log.exception("closing the failed writer")

    def _refuse(self, batch: list[QueuedWrite[Any]], error: DatabaseFileMoved) -> None:
        """Fail every queued write, but keep the file open: closed, it might be lost for good."""
        _log.critical("nothing is written: the database's file is not in its place", why=str(error))
        self._fail_waiting(batch, error)

    def _fail_waiting(self, batch: list[QueuedWrite[Any]], error: Exception) -> None:
        for job in (*batch, *self._waiting[0], *self._waiting[1]):
            if not job.future.done():
                job.future.set_exception(DatabaseUnavailable(str(error)))
        for queue in self._waiting:
            queue.clear()

    def _begin_read(self, tx: SqliteTx) -> None:
        tx.conn.execute("BEGIN")
        self._clock.begin_reading(tx)

    def _read_failed(self, error: BaseException) -> Exception:
        self.check_for_damage(error)
        return as_future_error(error)


def _end_read(tx: SqliteTx) -> None:
    """Release the snapshot."""
    tx.forget()
    tx.conn.execute("ROLLBACK")
