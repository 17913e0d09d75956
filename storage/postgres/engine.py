"""PostgreSQL as a ``services.ports.database.DatabaseEngine``: databases that are not open yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from psycopg import Connection

from services.domain.database import DatabaseCondition, DatabaseServer, LogArchive
from services.domain.stored_secret import StoredSecret
from storage.postgres.connection import PostgresConnection
from storage.postgres.database import Database
from storage.postgres.faults import as_database_failed
from storage.postgres.migrate import migrate as apply_migrations
from storage.postgres.migrate import pending_migrations
from storage.postgres.server import connect, connect_at_start
from storage.stores.audit import AuditStore
from storage.stores.secrets import SecretStore
from storage.time.transaction_time import TransactionTime

ARCHIVE = (
    "SELECT current_setting('archive_mode') <> 'off', last_archived_time, last_failed_time"
    " FROM pg_stat_archiver"
)


async def open_database(
    address: DatabaseServer,
    now: Callable[[], datetime],
    *,
    monotonic: Callable[[], float] | None = None,
    probe: Callable[[str], None] = lambda point: None,
    threads: bool = True,
) -> Database:
    """Raises what ``Database.open`` raises."""
    return await Database.open(
        address, now, monotonic=monotonic, probe=probe, threads=threads, shared=True
    )


async def migrate(address: DatabaseServer, now: Callable[[], datetime]) -> list[str]:
    """While others serve, too: nobody is kept out but who migrates at the same time."""
    with as_database_failed(), connect(address, "migrate") as conn:
        apply_migrations(conn)
        rows = conn.execute("SELECT name FROM schema_migrations ORDER BY number").fetchall()
    return [name for (name,) in rows]


def condition(address: DatabaseServer) -> DatabaseCondition:
    """PostgreSQL looks after its own files: checksums of its pages, and pgbackrest's checks."""
    with as_database_failed(), connect(address, "doctor") as conn:
        pending = pending_migrations(conn)
        (archive,) = conn.execute(ARCHIVE).fetchall()
    return DatabaseCondition(
        None, tuple(migration.name for migration in pending), LogArchive(*archive)
    )


def stored_secrets(address: DatabaseServer) -> list[StoredSecret]:
    """Waits for a primary as ``open_database`` does, since a start reads them before it opens."""
    with _reading(address, connect_at_start) as conn:
        if conn.execute("SELECT to_regclass('secrets') IS NOT NULL").fetchone()[0] == 0:
            return []
        return SecretStore(conn, TransactionTime(datetime.now(UTC))).every()


@contextmanager
def audit_log(address: DatabaseServer) -> Iterator[AuditStore]:
    with _reading(address) as conn:
        yield AuditStore(conn, TransactionTime(datetime.now(UTC)))


@contextmanager
def _reading(
    address: DatabaseServer,
    connector: Callable[[DatabaseServer, str], Connection[Any]] = connect,
) -> Iterator[PostgresConnection]:
    """One snapshot for everything that is read."""
    conn = PostgresConnection(partial(connector, address, "look"))
    with as_database_failed():
        try:
            conn.connect()
            conn.begin_reading()
            yield conn
        finally:
            conn.close()
