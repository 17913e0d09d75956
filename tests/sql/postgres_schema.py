"""The tables and views as PostgreSQL can make them: enough to prepare statements against."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing

from storage.sqlite.migrate import migrate

TYPES = {"INTEGER": "bigint", "TEXT": "text", "BLOB": "bytea", "REAL": "double precision"}


def postgres_schema() -> str:
    """Columns, types, keys and views of the newest migration; checks and triggers are left out,
    since no statement depends on them."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
        migrate(conn)
        tables = conn.execute(
            "SELECT name FROM pragma_table_list WHERE type = 'table' AND schema = 'main'"
            " AND name NOT LIKE 'sqlite_%' ORDER BY name"
        ).fetchall()
        views = conn.execute(
            "SELECT sql FROM sqlite_schema WHERE type = 'view' ORDER BY rowid"
        ).fetchall()
        statements = [line for (table,) in tables for line in _table(conn, table)]
    return "".join(f"{sql};\n" for sql in (*statements, *(view for (view,) in views)))


def _table(conn: sqlite3.Connection, table: str) -> Iterator[str]:
    columns = conn.execute(
        "SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid", (table,)
    ).fetchall()
    lines = [f'"{name}" {TYPES[kind]}' for name, kind, _ in columns]
    if key := [name for name, _, pk in sorted(columns, key=lambda column: column[2]) if pk]:
        lines.append(f"PRIMARY KEY ({_list(key)})")
    yield f'CREATE TABLE "{table}" ({", ".join(lines)})'
    for index, origin, sql in conn.execute(
        "SELECT i.name, i.origin, s.sql FROM pragma_index_list(?) AS i"
        " LEFT JOIN sqlite_schema AS s ON s.name = i.name ORDER BY i.seq",
        (table,),
    ).fetchall():
        if origin == "u":  # a UNIQUE constraint; SQLite keeps no SQL of its index
            names = conn.execute(
                "SELECT name FROM pragma_index_info(?) ORDER BY seqno", (index,)
            ).fetchall()
            yield f'CREATE UNIQUE INDEX ON "{table}" ({_list(name for (name,) in names)})'
        elif origin == "c":
            yield sql


def _list(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
