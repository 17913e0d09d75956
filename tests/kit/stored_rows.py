"""All that a database holds, and whether something wrote to it, on either engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from storage.postgres.connection import PostgresConnection
from tests.kit.plain_store import PlainStore

# Beside what the engine notes for itself: migrations, and which processes are there since when.
_TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'schema_migrations' ORDER BY 1"
)
_SERVED_TABLES = (
    "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    " AND tablename <> 'schema_migrations' AND NOT EXISTS (SELECT 1"
    "  FROM information_schema.columns AS c WHERE c.table_schema = schemaname"
    "  AND c.table_name = tablename AND c.data_type = 'timestamp with time zone') ORDER BY 1"
)


def every_row(conn: Any) -> str:
    """Of every table and with its name, to be searched for what may stand in none."""
    tables = _SERVED_TABLES if isinstance(conn, PostgresConnection) else _TABLES
    rows = [
        f"{table}: {row}"
        for (table,) in conn.execute(tables).fetchall()
        for row in conn.execute(f"SELECT * FROM {table}")  # noqa: S608 - a table of ours
    ]
    assert rows, "an empty database hides nothing"
    return "\n".join(rows)


@contextmanager
def nothing_written(store: PlainStore) -> Iterator[None]:
    """Fail if a statement inside could have changed a row."""
    conn = store.conn
    if isinstance(conn, PostgresConnection):
        conn.has_changes = False
        yield
        assert not conn.has_changes
    else:
        before = conn.total_changes
        yield
        assert conn.total_changes == before
