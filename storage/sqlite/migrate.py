"""Applies SQLite's migrations, and compares a file's schema with what they make."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import cache

from services.domain.database import MigrationError
from storage import numbered_migrations
from storage.numbered_migrations import Migration, pending
from storage.sqlite import schema
from storage.sqlite.schema import Schema

ENGINE = "sqlite"
_KEPT = ("table", "schema_migrations")


def shipped() -> tuple[Migration, ...]:
    """This program's migrations, in order."""
    return numbered_migrations.shipped(ENGINE)


def applied_migrations(conn: sqlite3.Connection) -> dict[int, tuple[str, str]]:
    """Number → (name, checksum) of the migrations applied to this database. Another program's table
    of the same name does not count."""
    return _applied(conn, schema.read(conn))


def _applied(conn: sqlite3.Connection, found: Schema) -> dict[int, tuple[str, str]]:
    if found.get(_KEPT) != _expected_schema(())[_KEPT]:
        return {}
    rows = conn.execute("SELECT number, name, checksum FROM schema_migrations")
    return {number: (name, checksum) for number, name, checksum in rows}


def pending_migrations(
    conn: sqlite3.Connection, ours: Sequence[Migration] | None = None
) -> list[Migration]:
    """The migrations this database still lacks.

    Raises ``MigrationError`` when the database is newer than the program, an applied migration has
    changed since, or our tables and their guards differ from what the applied migrations create.
    """
    ours = shipped() if ours is None else ours
    found = schema.read(conn)
    had = _applied(conn, found)
    waiting = pending(had, ours)
    meant = _expected_schema(tuple(migration for migration in ours if migration.number in had))
    if found and not had and found != meant:
        raise MigrationError(
            "the database is another program's: no migration of this one has made its tables"
        )
    if found:
        _refuse(list(schema.differences(schema.without_foreign_tables(found, meant), meant)))
    return waiting


def refuse_additions(conn: sqlite3.Connection) -> None:
    """Refuse tables that are not ours, and anything on them, which ``pending_migrations``
    tolerates. Raises ``MigrationError``."""
    if had := applied_migrations(conn):
        meant = _expected_schema(
            tuple(migration for migration in shipped() if migration.number in had)
        )
        _refuse(list(schema.differences(schema.read(conn), meant)))


def _refuse(differences: Sequence[str]) -> None:
    if differences:
        more = f", and {len(differences) - 1} more" if differences[1:] else ""
        raise MigrationError(
            f"the database is not made as its version is: {differences[0]}{more}; somebody has"
            " changed it by hand, or parts of another are in it: restore a backup that is sound"
        )


@cache
def _expected_schema(had: tuple[Migration, ...]) -> Schema:
    """The schema that exactly these migrations create."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
        _lay(conn, had)
        return schema.read(conn)


def migrate(conn: sqlite3.Connection, ours: Sequence[Migration] | None = None) -> list[str]:
    """Apply pending migrations; returns their names. ``conn`` must be in autocommit mode.

    A migration that fails is rolled back as a whole and raises ``MigrationError``; earlier ones
    stay.
    """
    waiting = pending_migrations(conn, ours)
    _lay(conn, waiting)
    return [migration.name for migration in waiting]


def _lay(conn: sqlite3.Connection, migrations: Iterable[Migration]) -> None:
    conn.execute(  # the text must match the first database's exactly: it is compared
        "CREATE TABLE IF NOT EXISTS schema_migrations ("
        " number INTEGER NOT NULL PRIMARY KEY,"  # from the file's name
        " name TEXT NOT NULL,"  # the file's name
        " checksum TEXT NOT NULL,"  # SHA-256 of the file as applied
        " applied_at TEXT NOT NULL"  # UTC
        ") STRICT"
    )
    for migration in migrations:
        statements = _statements(migration)
        conn.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                conn.execute(statement)
            conn.execute(
                "INSERT INTO schema_migrations (number, name, checksum, applied_at)"
                " VALUES (?, ?, ?, datetime('now'))",
                (migration.number, migration.name, migration.checksum),
            )
            conn.execute("COMMIT")
        except sqlite3.Error as error:
            if conn.in_transaction:
                conn.execute("ROLLBACK")
            raise MigrationError(f"migration {migration.name} failed: {error}") from error


def _statements(migration: Migration) -> list[str]:
    """Split a script where SQLite says that a statement is complete.

    ``executescript`` would commit first, but a migration must be one transaction.
    """
    sql = migration.sql
    statements, start = [], 0
    for end in (match.end() for match in re.finditer(";", sql)):
        if sqlite3.complete_statement(sql[start:end]):
            statements.append(sql[start:end])
            start = end
    rest = "\n".join(line.partition("--")[0] for line in sql[start:].splitlines())
    if rest.strip():
        raise MigrationError(
            f"migration {migration.name}: a statement is not finished: {rest.strip()[:60]}"
        )
    return statements
