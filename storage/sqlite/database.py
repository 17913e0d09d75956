"""A database in a file: one writer, and readers that never wait for it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
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
    OtherProcess,
)
from storage.queued_database import QueuedDatabase
from storage.queued_write import QueuedWrite
from storage.random_name import new_name
from storage.readers import Readers
from storage.sqlite import damage
from storage.sqlite.batch import BatchRunner, as_future_error
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
from storage.time.timekeeper import Timekeeper
from storage.transaction import StoreTx

T = TypeVar("T")
_log = structlog.get_logger(__name__)

READERS = 2


class Database(QueuedDatabase):
    """Created by ``open``."""

    BATCH_MAX = 256
    JOBS_SHARE = 32

    def __init__(
        self,
        path: Path,
        timekeeper: Timekeeper,
        probe: Callable[[str], None],
        threads: bool,
        memory: sqlite3.Connection | None,
        file: DatabaseFile | None,
    ) -> None:
        super().__init__(timekeeper, new_name(), threads=threads)
        self._path = path
        self._file = file
        self._memory = memory
        self._batches = BatchRunner(self._clock, file, probe, self.check_for_damage, timed=threads)
        self._writer: WriterConnection | None = None
        self._reading: StoreTx | None = None  # on the writer's connection, without threads
        self._readers = Readers(self._begin_read, _end_read, self._read_failed)
        self._has_begun = False

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

    async def read(self, function: Callable[[StoreTx], T]) -> T:
        """Run ``function`` on one consistent snapshot, concurrently with the writer."""
        self._check_open()
        if not self._threads:
            return self._read_between(function)
        return await self._readers.read(function)

    def _read_between(self, function: Callable[[StoreTx], T]) -> T:
        """Without threads no batch runs during a read, so the writer's connection is free."""
        if self._killed:
            raise asyncio.CancelledError("the database was killed")
        tx, writer = self._reading, self._writer
        if tx is None or writer is None:
            raise DatabaseUnavailable("the database failed and was not reopened yet")
        changes = writer.raw.total_changes
        try:
            self._begin_read(tx)
            result = function(tx)
        except (StopIteration, sqlite3.Error) as error:
            raise self._read_failed(error) from error
        finally:
            _end_read(tx)
        if writer.raw.total_changes != changes:
            raise DatabaseFailed("attempt to write where only reading is meant")
        return result

    @property
    def leads(self) -> bool:
        return True

    @property
    def follows(self) -> bool:
        return False

    @property
    def others(self) -> Sequence[OtherProcess]:
        return ()

    @property
    def is_shared(self) -> bool:
        return False

    async def join(self) -> None:
        pass

    @property
    def sole_writer(self) -> bool:
        """Whether no other process can write, so that nobody holds what an earlier one held: the
        file is locked (docs/decisions/0025), and a database in memory has one owner."""
        return True

    @property
    def in_flight(self) -> int:
        return self._writes_in_flight + self._readers.in_flight

    def check_for_damage(self, error: BaseException | None) -> None:
        """Report an error that may indicate damage; callable on any thread."""
        why = damage.damage_reported_by(error)
        if why is not None:
            self.mark_damaged(why)

    @property
    def size_bytes(self) -> int:
        """On disk, including the part of the log that is not yet in the file."""
        files = (self._path, self._path.with_name(f"{self._path.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    async def close(self) -> None:
        """Finish queued writes, accept no more, then close. The file lock is released last."""
        await self._finish_writes()
        await self._readers.close()
        await self._close_writer()
        if self._file is not None:
            self._file.release()
            self._file = None

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
        self._tx = StoreTx(self._writer.raw)
        if not self._has_begun:
            newest = await self._writer.run(self._tx.clock.newest)
            self.time.begin(newest, await self._writer.run(self._tx.clock.clock_offset))
            self._has_begun = True
        recover = partial(self._batches.recover_if_restored, self._tx, self._writer.raw)
        await self._writer.run(recover)
        if not self._threads:
            self._reading = StoreTx(self._writer.raw)
        if self._file is not None and not self._readers.open:  # readers keep the recorded files
            self._file.record_side_files()

    def _connect(self) -> sqlite3.Connection:
        """Runs on the connection's thread. Raises ``DatabaseFileMoved`` rather than open another
        file."""
        if self._file is not None:
            self._file.verify()
        return connect(self._path)

    async def _close_writer(self) -> None:
        writer, self._writer = self._writer, None
        self._tx = self._reading = None
        if writer is not None:
            await writer.close()
        if self._file is not None and not self._readers.open:
            self._file.forget()

    async def _run_batch(
        self, tx: StoreTx, batch: list[QueuedWrite[Any]]
    ) -> list[QueuedWrite[Any]]:
        assert self._writer is not None
        done = await self._writer.run(partial(self._batches.run, tx, self._writer.raw, batch))
        return batch[done:]

    def _take_steps(self) -> list[ClockStep]:
        steps, self._batches.steps = self._batches.steps, []
        return steps

    async def _batch_failed(self, batch: list[QueuedWrite[Any]], error: Exception) -> None:
        """Fail every queued write; the next one reopens the database. A file that was moved is kept
        open: closed, it might be lost for good."""
        if isinstance(error, DatabaseFileMoved):
            _log.critical(
                "nothing is written: the database's file is not in its place", why=str(error)
            )
            self._fail_waiting(batch, error)
            return
        _log.error("the database failed and will be reopened", why=str(error))
        self.check_for_damage(error)
        self._fail_waiting(batch, error)
        try:
            await self._close_writer()
        except (sqlite3.Error, ValueError):
            _log.exception("closing the failed writer")

    def _begin_read(self, tx: StoreTx) -> None:
        tx.conn.execute("BEGIN")
        self._clock.begin_reading(tx)

    def _read_failed(self, error: BaseException) -> Exception:
        self.check_for_damage(error)
        return as_future_error(error)


def _end_read(tx: StoreTx) -> None:
    """Release the snapshot."""
    tx.forget()
    tx.conn.execute("ROLLBACK")
