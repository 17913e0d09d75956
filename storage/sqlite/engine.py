"""SQLite as a ``services.ports.database.DatabaseEngine``: databases that are not open yet."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from services.domain.database import DatabaseCondition
from services.domain.stored_secret import StoredSecret
from storage.sqlite.database import Database
from storage.sqlite.faults import as_database_failed
from storage.sqlite.migrate import applied_migrations, pending_migrations, refuse_additions
from storage.stores.audit import AuditStore
from storage.stores.secrets import SecretStore
from storage.time.transaction_time import TransactionTime
from storage.transaction import StoreTx

SECRETS_SINCE = 4  # the migration that created the table


async def open_database(
    path: Path,
    now: Callable[[], datetime],
    *,
    monotonic: Callable[[], float] | None = None,
    probe: Callable[[str], None] = lambda point: None,
    threads: bool = True,
) -> Database:
    """Raises what ``Database.open`` raises, with ``DatabaseFailed`` for errors of SQLite."""
    with as_database_failed():
        return await Database.open(path, now, monotonic=monotonic, probe=probe, threads=threads)


async def migrate(path: Path, now: Callable[[], datetime]) -> list[str]:
    database = await open_database(path, now)
    try:
        return await database.read(_migrations)
    finally:
        await database.close()


def _migrations(tx: StoreTx) -> list[str]:
    rows = tx.conn.execute("SELECT name FROM schema_migrations ORDER BY number")
    return [name for (name,) in rows]


@as_database_failed()
def condition(path: Path) -> DatabaseCondition:
    with closing(_reader(path)) as conn:
        pending = pending_migrations(conn)
        refuse_additions(conn)
        verdict: str = conn.execute("PRAGMA quick_check").fetchone()[0]
    return DatabaseCondition(
        None if verdict == "ok" else verdict, tuple(migration.name for migration in pending)
    )


@as_database_failed()
def stored_secrets(path: Path) -> list[StoredSecret]:
    if not path.exists():
        return []
    with closing(_reader(path)) as conn:
        if SECRETS_SINCE not in applied_migrations(conn):
            return []
        return SecretStore(conn, TransactionTime(datetime.now(UTC))).every()


@contextmanager
def audit_log(path: Path) -> Iterator[AuditStore]:
    with as_database_failed(), closing(_reader(path)) as conn:
        conn.execute("BEGIN")  # one snapshot for everything that is read
        yield AuditStore(conn, TransactionTime(datetime.now(UTC)))


def _reader(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
