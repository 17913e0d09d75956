"""All that a database holds, and whether something wrote to it, on either engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from storage.postgres.connection import PostgresConnection
from tests.kit.plain_store import PlainStore

# Beside the stores' own: which migrations were applied, and which transactions of which process.
_ENGINES_OWN = ("schema_migrations", "writers")


def every_row(conn: Any) -> str:
    """Of every table and with its name, to be searched for what may stand in none."""
    is_served = isinstance(conn, PostgresConnection)
    tables = conn.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"
        if is_served
        else "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1"
    ).fetchall()
    rows = [
        f"{table}: {row}"
        for (table,) in tables
        if table not in _ENGINES_OWN
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
