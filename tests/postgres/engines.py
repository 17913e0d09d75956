"""SQLite and PostgreSQL with the same rows, and what each says to the same statement."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import psycopg

from storage.sqlite.migrate import migrate
from tests.postgres.databases import Connection

GUARD = "guard"  # the kind of what a trigger refuses
_SQLITE_KINDS = {
    "SQLITE_CONSTRAINT_TRIGGER": GUARD,
    "SQLITE_CONSTRAINT_CHECK": "check",
    "SQLITE_CONSTRAINT_UNIQUE": "unique",
    "SQLITE_CONSTRAINT_PRIMARYKEY": "unique",
    "SQLITE_CONSTRAINT_FOREIGNKEY": "foreign key",
    "SQLITE_CONSTRAINT_NOTNULL": "not null",
}
_POSTGRES_KINDS = {
    "HZ001": GUARD,
    "23514": "check",
    "23505": "unique",
    "23503": "foreign key",
    "23502": "not null",
}


class Engine(Protocol):
    def rows(self, sql: str) -> list[tuple[Any, ...]]: ...

    def drop(self, trigger: str, table: str) -> None: ...

    def refusal(self, sql: str) -> tuple[str, str] | None:
        """The kind of the refusal, and its words if a trigger refused; nothing if none did."""
        ...

    def change(self, sql: str) -> int:
        """How many rows the statement has changed."""
        ...

    def undone(self) -> Any:
        """A context that takes back whatever is done in it."""
        ...


class Sqlite:
    def __init__(self, statements: Sequence[str]) -> None:
        self._conn = sqlite3.connect(":memory:", isolation_level=None)
        migrate(self._conn)
        self._conn.execute("PRAGMA foreign_keys = ON")
        self._conn.execute("PRAGMA recursive_triggers = ON")
        for statement in statements:
            self._conn.execute(statement)

    def close(self) -> None:
        self._conn.close()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return _in_order(self._conn.execute(sql))

    def drop(self, trigger: str, table: str) -> None:
        self._conn.execute(f"DROP TRIGGER {trigger}")

    def refusal(self, sql: str) -> tuple[str, str] | None:
        try:
            self._conn.execute(sql)
        except sqlite3.IntegrityError as error:
            kind = _SQLITE_KINDS[error.sqlite_errorname]
            return kind, str(error) if kind == GUARD else ""
        return None

    def change(self, sql: str) -> int:
        return self._conn.execute(sql).rowcount

    @contextmanager
    def undone(self) -> Iterator[None]:
        self._conn.execute("SAVEPOINT undone")
        try:
            yield
        finally:
            self._conn.execute("ROLLBACK TO undone")
            self._conn.execute("RELEASE undone")


class Postgres:
    def __init__(self, conn: Connection, statements: Sequence[str]) -> None:
        self._conn = conn
        for statement in statements:
            self._execute(statement)

    def _execute(self, sql: str) -> psycopg.Cursor[tuple[Any, ...]]:
        bytes_as_here = re.sub(r"x'([0-9a-f]*)'", r"CAST('\\x\1' AS bytea)", sql)
        return self._conn.execute(bytes_as_here)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return _in_order(self._execute(sql))

    def drop(self, trigger: str, table: str) -> None:
        self._execute(f"DROP TRIGGER {trigger} ON {table}")

    def refusal(self, sql: str) -> tuple[str, str] | None:
        try:
            with self._conn.transaction():
                self._execute(sql)
        except psycopg.Error as error:
            kind = _POSTGRES_KINDS[error.sqlstate or ""]
            return kind, error.diag.message_primary or "" if kind == GUARD else ""
        return None

    def change(self, sql: str) -> int:
        return self._execute(sql).rowcount

    @contextmanager
    def undone(self) -> Iterator[None]:
        with self._conn.transaction(force_rollback=True):
            yield


def _in_order(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=lambda row: [str(value) for value in row])
