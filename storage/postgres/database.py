"""A database of PostgreSQL: one writer, and readers that never wait for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import psycopg
import structlog
from psycopg import Connection as DriverConnection

from services.domain.clock_step import ClockStep
from services.domain.database import (
    DatabaseFailed,
    DatabaseFault,
    DatabaseInUse,
    DatabaseServer,
    DatabaseUnavailable,
    MigrationError,
    OtherProcess,
    Priority,
)
from storage.locks import NO_LOCKS
from storage.postgres.connection import ANSWER_MAX_S, PostgresConnection
from storage.postgres.faults import (
    CommitUnknown,
    ConnectionLost,
    NoPrimary,
    as_database_failed,
    as_future_error,
)
from storage.postgres.groups import GroupRunner
from storage.postgres.locks import PostgresLocks
from storage.postgres.membership import Membership
from storage.postgres.migrate import migrate, pending_migrations
from storage.postgres.server import (
    SERVE_ALONE,
    SERVE_TOGETHER,
    SERVING,
    SETTLE_EVERY_S,
    START_MAX_S,
    connect,
    is_primary,
    is_true,
)
from storage.postgres.thread import InlineConnection, ThreadConnection
from storage.queued_database import QueuedDatabase
from storage.queued_write import QueuedWrite
from storage.random_name import new_name
from storage.readers import Readers
from storage.time.milliseconds import to_ms
from storage.time.timekeeper import Timekeeper
from storage.transaction import StoreTx

T = TypeVar("T")
_log = structlog.get_logger(__name__)

READERS = 2
PAYLOAD_MAX = 7_900  # bytes; PostgreSQL's limit is 8,000
SAID_WITHIN_S = 4.0  # that a process is there; otherwise it connects anew
ALONE_EVERY = 10  # ticks, at which a process that is alone looks at what others may have left
SETTLE_MAX_S = 120.0  # a failover takes 20 to 40 (facts: postgres 8)
BUSY_AFTER_S = 2.0  # of asking, people are told that the desk is busy
SESSION_ENDS_S = 2.0  # within which the server notices that a process has stopped


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
        membership: Membership | None,
    ) -> None:
        process = new_name() if membership is None else membership.process
        super().__init__(timekeeper, process, threads=threads, marks_time=membership is None)
        self._address = address
        self._membership = membership
        self._joined = False
        self._ticks = 0
        raw = _connection(address, "writer")
        locks = None if membership is None else PostgresLocks(raw)
        self._groups = GroupRunner(self._clock, locks, process, probe, self._epoch, timed=threads)
        self._writer: ThreadConnection | InlineConnection = (
            ThreadConnection(raw, "hazina-writer") if threads else InlineConnection(raw)
        )
        self._store_tx = StoreTx(raw, locks or NO_LOCKS)
        self._reading = None if threads else StoreTx(raw)
        self._reader_connections: list[PostgresConnection] = []
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
        shared: bool = False,
    ) -> Database:
        """Migrate and open; the arguments are those of
        ``services.ports.database.DatabaseEngine.open_database``. ``shared``: beside other processes
        that share it too, by the server's clock. Otherwise everybody else is kept out.

        Raises ``DatabaseInUse``, ``MigrationError``, and ``DatabaseFailed`` when the server cannot
        be reached.
        """
        membership = None
        if shared:
            member = partial(_connection, address, "member", SAID_WITHIN_S)
            membership = Membership(new_name(), member)
            now, monotonic = membership.clock.now, time.monotonic
        database = cls(address, Timekeeper(now, monotonic), probe, threads, membership)
        try:
            with as_database_failed():
                await database._open_first()
                for number in range(READERS if threads else 0):
                    raw = _connection(address, f"reader {number}")
                    reader = ThreadConnection(raw, f"hazina-reader-{number}")
                    await reader.run(raw.connect)
                    database._reader_connections.append(raw)
                    database._readers.add(reader)
        except BaseException:
            await database.close()
            raise
        return database

    async def write(
        self,
        function: Callable[[StoreTx], T],
        priority: Priority = Priority.PEOPLE,
        *,
        about: Hashable | None = None,
    ) -> T:
        """See ``QueuedDatabase.write``. Refused at once while the database has been away for a
        while: a queue would only keep people waiting."""
        if self._is_away:
            raise DatabaseUnavailable("the database is away")
        return await super().write(function, priority, about=about)

    async def read(self, function: Callable[[StoreTx], T]) -> T:
        """Run ``function`` on one consistent snapshot, concurrently with the writer."""
        self._check_open()
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
    def leads(self) -> bool:
        return self._membership is None or self._membership.leads

    @property
    def follows(self) -> bool:
        return self._membership is not None and self._membership.follows

    @property
    def others(self) -> Sequence[OtherProcess]:
        return () if self._membership is None else self._membership.others

    @property
    def is_shared(self) -> bool:
        return self._membership is not None

    def _epoch(self) -> int | None:
        """In which this process leads; ``None`` where nobody could lead in its place."""
        return None if self._membership is None else self._membership.epoch

    async def join(self) -> None:
        member = self._membership
        if member is None:
            return
        member.on_leading = lambda leads: self.leading_changed(leads)
        member.on_notified = self._notified
        member.on_tick = self._ticked
        member.on_gone = lambda processes: self.gone(processes)
        member.on_lost = self._doubt_readers
        member.mark = self._mark_time
        with as_database_failed():
            await asyncio.to_thread(member.start)
        self._joined = True

    def _notified(self, payload: str) -> None:
        references = frozenset(payload.split())
        if references:
            self.changed(references)
        self.elsewhere(references)

    def _mark_time(self, conn: PostgresConnection) -> None:
        """On the membership's thread."""
        reading = self.time.read()
        astray = reading.now - reading.steady_now
        conn.execute(
            "UPDATE clock SET at = ?, astray = ?",
            (to_ms(reading.now), astray // timedelta(milliseconds=1)),
        )

    def _ticked(self) -> None:
        """What a process that is gone has claimed is due some time after it was last seen."""
        if self._membership is not None:
            self._membership.says = self.says()
        self._ticks += 1
        if self.others or self._ticks % ALONE_EVERY == 0:
            self.elsewhere(None)

    @property
    def sole_writer(self) -> bool:
        """Whether nobody else is writing: a lock keeps them out, or nobody has said for a while
        that they are there."""
        return not self.others

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
        if self._membership is not None and self._joined:
            await asyncio.to_thread(self._membership.stop)
        self._tx = None
        await self._writer.close()

    # The write side -------------------------------------------------------------------------

    async def _open_first(self) -> None:
        """A start in the middle of a failover waits for the new primary."""
        ends_at = time.monotonic() + START_MAX_S
        while True:
            try:
                return await self._open_writer(migrating=True)
            except (NoPrimary, ConnectionLost):
                if time.monotonic() > ends_at:
                    raise
            await asyncio.sleep(SETTLE_EVERY_S)

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

    def _doubt_readers(self) -> None:
        """Who writes has lost a connection, perhaps because another node is the primary. The old
        one may not know, and goes on answering those who only read (facts: postgres 8)."""
        for conn in self._reader_connections:
            conn.doubt()

    def _connect_writer(self, migrating: bool) -> None:
        self._doubt_readers()
        conn = self._writer.raw
        conn.connect()
        self._doubt_readers()  # who connected meanwhile may have met the old primary
        driver = conn.driver
        if not self._may_serve(driver):
            raise DatabaseInUse(f"another hazina is using {self._address}: stop it first")
        missing = pending_migrations(driver)
        if missing and not migrating:
            raise MigrationError(f"{missing[0].name} is pending: run `hazina migrate`")
        if missing:
            migrate(driver)
        self._groups.register(conn)
        if self._membership is not None:
            self._membership.writer_pid = driver.info.backend_pid
            if not self._has_begun:
                self._membership.clock.look(_now_there(driver))
        row = driver.execute("SELECT pg_database_size(current_database())").fetchone()
        self._size_bytes = 0 if row is None else int(row[0])
        self._store_tx.forget()

    def _may_serve(self, driver: DriverConnection[Any]) -> bool:
        """Whether nobody keeps others out. The server ends the session of a process that has
        stopped a moment later than the process does."""
        lock = SERVE_ALONE if self._membership is None else SERVE_TOGETHER
        ends_at = time.monotonic() + SESSION_ENDS_S
        while not is_true(driver, lock, SERVING):
            if time.monotonic() > ends_at:
                return False
            time.sleep(0.02)
        return True

    async def _run_batch(
        self, tx: StoreTx, batch: list[QueuedWrite[Any]]
    ) -> list[QueuedWrite[Any]]:
        left = await self._writer.run(partial(self._groups.run, tx, self._writer.raw, batch))
        if self.others and self._groups.has_changed:
            changed: frozenset[str] = frozenset().union(*(job.changed for job in batch))
            try:
                await self._writer.run(
                    partial(_notify, self._writer.raw, " ".join(sorted(changed)))
                )
            except psycopg.Error as error:  # what was to be told of is committed
                _log.warning("nobody was notified", why=str(error))
                self._tx = None  # the next write connects again
        return left

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


def _connection(
    address: DatabaseServer, name: str, answer_max_s: float = ANSWER_MAX_S
) -> PostgresConnection:
    return PostgresConnection(
        partial(connect, address, name), partial(is_primary, address), answer_max_s
    )


def _now_there(driver: DriverConnection[Any]) -> datetime:
    row = driver.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    now: datetime = row[0]
    return now


def _notify(conn: PostgresConnection, references: str) -> None:
    """Tell the other processes; one that does not hear it looks within a second. It need not
    outlive a crash, so it waits for no disk."""
    payload = references if len(references) <= PAYLOAD_MAX else ""
    conn.begin()
    conn.execute("SELECT set_config('synchronous_commit', 'off', true)")
    conn.execute("SELECT pg_notify('hazina', ?)", (payload,))
    conn.commit()


def _begin_read(begin_clock: Callable[[StoreTx], None]) -> Callable[[StoreTx], None]:
    def begin(tx: StoreTx) -> None:
        conn = tx.conn
        assert isinstance(conn, PostgresConnection)
        if conn.is_doubted or not conn.is_connected:
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
