"""Processes that book on the same database, each with its own connection and thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any

import psycopg
import pytest

from services.domain.ledger import Transfer
from storage.locks import NO_LOCKS
from storage.stores.ledger import LedgerStore
from storage.time.transaction_time import TransactionTime
from tests.kit.postgres_server import PostgresServer
from tests.postgres.databases import Connection, connect

WAIT_S = 20


class Changes:
    """Stands in for what looks after the versions of operations."""

    def touch(self, operation: str) -> None:
        pass


class Statements:
    """A connection that takes the stores' statements as they are written."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Any:
        return self._conn.execute(sql.replace("?", "%s"), parameters)


class Desk:
    """One process with its connection, and what it may do in a thread of its own."""

    def __init__(self, server: PostgresServer, database: str) -> None:
        self.conn = connect(server, database)
        time = TransactionTime(datetime(2026, 3, 2, 6, 0, tzinfo=UTC))
        self._ledger = LedgerStore(Statements(self.conn), time, Changes(), NO_LOCKS)  # type: ignore[arg-type]
        self._thread = ThreadPoolExecutor(max_workers=1)

    def book(self, *transfers: Transfer) -> None:
        """In the transaction that is open, or else in one for each transfer."""
        self._ledger.book(*transfers)

    def run(self, statement: str) -> None:
        self.conn.execute(statement)

    def later(self, function: Callable[[], None]) -> Future[None]:
        return self._thread.submit(function)

    def close(self) -> None:
        self._thread.shutdown()
        self.conn.close()


def until_it_waits(observer: Desk, waiting: Desk, work: Future[None]) -> None:
    """Return when the connection of ``waiting`` waits for a lock of somebody's."""
    end = monotonic() + WAIT_S
    while not work.done():
        found = observer.conn.execute(
            "SELECT cardinality(pg_blocking_pids(%s)) > 0", (waiting.conn.info.backend_pid,)
        ).fetchone()
        if found == (True,):
            return
        assert monotonic() < end, "it never waited"
        sleep(0.01)
    pytest.fail(f"it did not wait: {work.exception()}")


def refused_with(work: Future[None]) -> str | None:
    error = work.exception(WAIT_S)
    assert isinstance(error, psycopg.Error)
    return error.sqlstate
