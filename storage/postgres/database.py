"""A database of PostgreSQL: one writer, and readers that never wait for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

import psycopg
import structlog

from services.domain.clock_step import ClockStep
from services.domain.database import (
    DatabaseFailed,
    DatabaseFault,
    DatabaseInUse,
    DatabaseServer,
    DatabaseUnavailable,
    MigrationError,
    Priority,
)
from storage.postgres.connection import PostgresConnection
from storage.postgres.faults import (
    CommitUnknown,
    ConnectionLost,
    as_database_failed,
    as_future_error,
)
from storage.postgres.groups import GroupRunner
from storage.postgres.migrate import migrate, pending_migrations
from storage.postgres.server import ONE_PROCESS, connect, is_true
from storage.postgres.thread import InlineConnection, ThreadConnection
from storage.queued_database import QueuedDatabase
from storage.queued_write import QueuedWrite
from storage.readers import Readers
from storage.time.timekeeper import Timekeeper
from storage.transaction import StoreTx

T = TypeVar("T")
_log = structlog.get_logger(__name__)

READERS = 2
SETTLE_EVERY_S = 0.5
SETTLE_MAX_S = 120.0  # a failover takes 20 to 40 (facts: postgres 8)
BUSY_AFTER_S = 2.0  # of asking, people are told that the desk is busy


class Database(QueuedDatabase):
    """Created by ``open``."""

    BATCH_MAX = 60  # more savepoints overflow what a backend caches of them (facts: postgres 3)
    JOBS_SHARE = 8

    def __init__(
        self,
        address: DatabaseServer,
        timekeeper: Timekeeper,
        probe: Callable[[str], None],
        threads: bool,
    ) -> None:
        super().__init__(timekeeper, threads=threads)
        self._address = address
        self._groups = GroupRunner(self._clock, uuid4().hex, probe, timed=threads)
        raw = PostgresConnection(partial(connect, address, "writer"))
        self._writer: ThreadConnection | InlineConnection = (
            ThreadConnection(raw, "hazina-writer") if threads else InlineConnection(raw)
        )
        self._store_tx = StoreTx(raw)
        self._reading = None if threads else StoreTx(raw)
        self._readers = Readers(_begin_read(self._clock.begin_reading), _end_read, as_future_error)
        self._is_away = False  # too long for people to wait for it
        self._has_begun = False
        self._size_bytes = 0

    @classmethod
    async def open(
        cls,
        address: DatabaseServer,
        now: Callable[[], datetime],
        *,
        monotonic: Callable[[], float] | None = None,
        probe: Callable[[str], None] = lambda point: None,
        threads: bool = True,
    ) -> Database:
        """Keep other processes out, migrate and open; the arguments are those of
        ``services.ports.database.DatabaseEngine.open_database``.

        Raises ``DatabaseInUse``, ``MigrationError``, and ``DatabaseFailed`` when the server cannot
        be reached.
        """
        database = cls(address, Timekeeper(now, monotonic), probe, threads)
        try:
            with as_database_failed():
                await database._open_writer(migrating=True)
                for number in range(READERS if threads else 0):
                    raw = PostgresConnection(partial(connect, address, f"reader {number}"))
                    reader = ThreadConnection(raw, f"hazina-reader-{number}")
                    await reader.run(raw.connect)
                    database._readers.add(reader)
        except BaseException:
            await database.close()
            raise
        return database

    async def write(
        self, function: Callable[[StoreTx], T], priority: Priority = Priority.PEOPLE
    ) -> T:
        """See ``QueuedDatabase.write``. Refused at once while the database has been away for a
        while: a queue would only keep people waiting."""
        if self._is_away:
            raise DatabaseUnavailable("the database is away")
        return await super().write(function, priority)

    async def read(self, function: Callable[[StoreTx], T]) -> T:
        """Run ``function`` on one consistent snapshot, concurrently with the writer."""
        if self._closing:
            raise DatabaseUnavailable("the database is closed")
        if not self._threads:
            return self._read_between(function)
        return await self._readers.read(function)

    def _read_between(self, function: Callable[[StoreTx], T]) -> T:
        """Without threads no group runs during a read, so the writer's connection is free."""
        if self._killed:
            raise asyncio.CancelledError("the database was killed")
        tx = self._reading
        assert tx is not None
        try:
            _begin_read(self._clock.begin_reading)(tx)
            return function(tx)
        except (StopIteration, psycopg.Error) as error:
            raise as_future_error(error) from error
        finally:
            _end_read(tx)

    @property
    def sole_writer(self) -> bool:
        """Whether no other process can write: a lock keeps them out."""
        return True

    @property
    def in_flight(self) -> int:
        return self._writes_in_flight + self._readers.in_flight

    @property
    def size_bytes(self) -> int:
        """On the server's disk, as of the last connect."""
        return self._size_bytes

    async def close(self) -> None:
        """Finish queued writes, accept no more, then close."""
        await self._finish_writes()
        await self._readers.close()
        self._tx = None
        await self._writer.close()

    # The write side -------------------------------------------------------------------------

    async def _open_writer(self, migrating: bool) -> None:
        await self._writer.run(partial(self._connect_writer, migrating))
        self._tx = self._store_tx
        if not self._has_begun:
            newest = await self._writer.run(self._tx.clock.newest)
            self.time.begin(newest, await self._writer.run(self._tx.clock.clock_offset))
            self._has_begun = True
        await self._writer.run(
            partial(self._groups.recover_if_restored, self._tx, self._writer.raw)
        )

    def _connect_writer(self, migrating: bool) -> None:
        conn = self._writer.raw
        conn.connect()
        driver = conn.driver
        if not is_true(driver, "SELECT pg_try_advisory_lock(%s)", ONE_PROCESS):
            raise DatabaseInUse(f"another hazina is using {self._address}: stop it first")
        missing = pending_migrations(driver)
        if missing and not migrating:
            raise MigrationError(f"{missing[0].name} is pending: run `hazina migrate`")
        if missing:
            migrate(driver)
        self._groups.register(conn)
        row = driver.execute("SELECT pg_database_size(current_database())").fetchone()
        self._size_bytes = 0 if row is None else int(row[0])
        self._store_tx.forget()

    async def _run_batch(
        self, tx: StoreTx, batch: list[QueuedWrite[Any]]
    ) -> list[QueuedWrite[Any]]:
        return await self._writer.run(partial(self._groups.run, tx, self._writer.raw, batch))

    def _take_steps(self) -> list[ClockStep]:
        steps, self._groups.steps = self._groups.steps, []
        return steps

    async def _batch_failed(
        self, batch: list[QueuedWrite[Any]], error: Exception
    ) -> list[QueuedWrite[Any]] | None:
        """Of a commit that nobody answered, find out whether it took place. Otherwise nothing was
        committed: the callers are told, and the next write connects again."""
        self._tx = None
        if isinstance(error, CommitUnknown):
            _log.error("a commit was not answered: asking whether it took place", why=str(error))
            try:
                committed = await self._settle()
            except TimeoutError:
                self._fail_waiting((), error)
                for job in batch:
                    if not job.future.done():
                        job.future.set_exception(
                            DatabaseFailed("nobody knows whether it was committed")
                        )
                return None
            return self._groups.left if committed else batch
        _log.error("the database failed and will be reopened", why=str(error))
        self._fail_waiting(batch, error)
        await self._writer.run(self._writer.raw.close)
        return None

    async def _settle(self) -> bool:
        """Ask until somebody knows whether the commit took place. Raises ``TimeoutError``."""
        began = time.monotonic()
        try:
            while True:
                try:
                    return await self._writer.run(self._reconnect_and_settle)
                except (psycopg.Error, DatabaseFault) as error:
                    waited_s = time.monotonic() - began
                    if waited_s > SETTLE_MAX_S or self._killed:
                        _log.critical("nobody knows whether a commit took place", why=str(error))
                        raise TimeoutError from error
                    if waited_s > BUSY_AFTER_S:  # who comes now need not wait for it
                        self._is_away = True
                        self._fail_waiting((), error)
                if self._threads:
                    await asyncio.sleep(SETTLE_EVERY_S)
                else:  # nothing else could run meanwhile
                    time.sleep(SETTLE_EVERY_S)  # noqa: ASYNC251
        finally:
            self._is_away = False

    def _reconnect_and_settle(self) -> bool:
        self._connect_writer(migrating=False)
        committed = self._groups.settle(self._store_tx, self._writer.raw)
        self._tx = self._store_tx
        return committed


def _begin_read(begin_clock: Callable[[StoreTx], None]) -> Callable[[StoreTx], None]:
    def begin(tx: StoreTx) -> None:
        conn = tx.conn
        assert isinstance(conn, PostgresConnection)
        if not conn.is_connected:
            conn.connect()
        conn.begin_reading()
        begin_clock(tx)

    return begin


def _end_read(tx: StoreTx) -> None:
    """Release the snapshot."""
    tx.forget()
    conn = tx.conn
    assert isinstance(conn, PostgresConnection)
    try:
        conn.rollback()
    except ConnectionLost:
        conn.close()
