"""Applies the migrations of PostgreSQL's folder, whose numbers are those of SQLite's."""

from __future__ import annotations

import re
from typing import Any

import psycopg
from psycopg import Connection

from services.domain.database import MigrationError
from storage.numbered_migrations import Migration, pending, shipped
from storage.postgres.server import MIGRATING

ENGINE = "postgres"
LOCK_TIMEOUT = "30s"
_TEXT_COLUMN = re.compile(r"^(    \w+ +)text\b", re.MULTILINE)  # as migrations are laid out


def pending_migrations(conn: Connection[Any]) -> list[Migration]:
    """The migrations this database still lacks.

    Raises ``MigrationError`` when the database is newer than the program, an applied migration has
    changed since, the database is another program's, or its texts are not kept as ours must be.
    """
    _check_texts(conn)
    ours = shipped(ENGINE)
    has_table = conn.execute("SELECT to_regclass('schema_migrations') IS NOT NULL").fetchone()
    assert has_table is not None
    if not has_table[0]:
        if conn.execute("SELECT 1 FROM pg_tables WHERE schemaname = current_schema()").fetchone():
            raise MigrationError(
                "the database is another program's: no migration of this one has made its tables"
            )
        return list(ours)
    rows = conn.execute("SELECT number, name, checksum FROM schema_migrations").fetchall()
    return pending({number: (name, checksum) for number, name, checksum in rows}, ours)


def migrate(conn: Connection[Any]) -> list[str]:
    """Apply pending migrations, one transaction each; returns their names.

    Others who migrate at the same time wait, and find nothing left to do. A migration that fails
    is rolled back as a whole and raises ``MigrationError``; earlier ones stay.
    """
    conn.execute("SELECT pg_advisory_lock(%s, hashtext(current_schema()))", (MIGRATING,))
    try:
        waiting = pending_migrations(conn)
        conn.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations ("
            " number bigint NOT NULL PRIMARY KEY,"  # from the file's name
            " name text NOT NULL,"  # the file's name
            " checksum text NOT NULL,"  # SHA-256 of the file as applied
            " applied_at text NOT NULL)"  # UTC
        )
        for migration in waiting:
            _apply(conn, migration)
    finally:
        conn.execute("SELECT pg_advisory_unlock(%s, hashtext(current_schema()))", (MIGRATING,))
    return [migration.name for migration in waiting]


def _apply(conn: Connection[Any], migration: Migration) -> None:
    try:
        with conn.transaction():
            conn.execute("SELECT set_config('lock_timeout', %s, true)", (LOCK_TIMEOUT,))
            # Without parameters psycopg sends the whole file as one text of many statements.
            conn.execute(_in_order_of_bytes(conn, migration.sql).encode())
            conn.execute(
                "INSERT INTO schema_migrations (number, name, checksum, applied_at)"
                " VALUES (%s, %s, %s, to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'))",
                (migration.number, migration.name, migration.checksum),
            )
    except psycopg.Error as error:
        raise MigrationError(f"migration {migration.name} failed: {error}") from error


def _check_texts(conn: Connection[Any]) -> None:
    """Texts are bytes of UTF-8, which SQL_ASCII stores as they come."""
    encoding, _ = _texts(conn)
    if encoding not in ("UTF8", "SQL_ASCII"):
        raise MigrationError(
            f"the database keeps texts as {encoding}: make it with"
            " `createdb --template=template0 --encoding=UTF8 --locale=C`"
        )


def _in_order_of_bytes(conn: Connection[Any], text: str) -> str:
    """A migration whose columns sort as SQLite's do, whatever language the database is in: hashes
    are made over rows in order."""
    _, collation = _texts(conn)
    if collation in ("C", "POSIX", "C.UTF-8", "C.utf8"):
        return text
    return _TEXT_COLUMN.sub(r'\1text COLLATE "C"', text)


def _texts(conn: Connection[Any]) -> tuple[str, str]:
    row = conn.execute(
        "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database"
        " WHERE datname = current_database()"
    ).fetchone()
    assert row is not None
    return row[0], row[1]
