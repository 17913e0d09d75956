"""Copies a whole database from one engine to the other, or from one server to another.

Tables, columns and keys are the same for both (tests/postgres), so SQLite's newest schema says what
there is to copy. Guards are taken off the target while rows arrive, since they check how books
change and not what they hold; the invariants are checked at the end, and everything is read back.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, Protocol

from psycopg import Connection as ServerConnection
from psycopg import sql

from services.domain.audit import Head
from services.domain.database import (
    CopyRefused,
    DatabaseAddress,
    DatabaseInUse,
    DatabaseServer,
)
from storage import invariants
from storage.postgres import migrate as postgres_migrations
from storage.postgres.connection import PostgresConnection
from storage.postgres.faults import as_database_failed as as_server_failed
from storage.postgres.server import SERVE_ALONE, SERVING, connect, is_true
from storage.postgres.statements import cleaned
from storage.sql import Connection
from storage.sqlite import database_file, migrate, snapshots
from storage.sqlite.connection import connect as open_file
from storage.sqlite.faults import as_database_failed as as_file_failed
from storage.stores import audit, restores

ROWS_AT_ONCE = 1_000
LOG = "schema_migrations"  # of each database its own


class Table(NamedTuple):
    """``numbered``: the column whose numbers the database draws."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    numbered: str | None


class Copied(NamedTuple):
    rows: int
    audit_head: Head


class _Side(Protocol):
    """One of the two databases, in a transaction that ``done`` ends."""

    @property
    def conn(self) -> Connection:
        """For the statements that the engines share."""
        ...

    def rows(self, table: Table) -> Iterator[tuple[Any, ...]]:
        """In the order of the key."""
        ...

    def last_number(self, table: Table) -> int: ...

    def empty(self, tables: Sequence[Table]) -> None: ...

    def fill(self, table: Table, rows: Iterable[tuple[Any, ...]], last_number: int) -> None: ...

    def done(self) -> None: ...


def copy(source: DatabaseAddress, target: DatabaseAddress, at: datetime, *, moves: bool) -> Copied:
    """Copy all rows into ``target``, where no database may be yet.

    One of the two is marked as a backup made ``at`` that moment: ``target``, or ``source`` if the
    desk ``moves``. Whoever opens that one to serve marks as unknown what the other may have done.

    Raises ``CopyRefused``, ``DatabaseInUse``, ``MigrationError``, ``DatabaseFailed``, ``OSError``;
    the target is then as it was.
    """
    tables = _tables()
    with _opened(source) as there, _made(target) as here:
        here.empty(tables[::-1])
        digests, count = {}, 0
        for table in tables:
            rows = _Digested(there.rows(table))
            here.fill(table, rows, there.last_number(table))
            digests[table.name], count = rows.digest, count + rows.count
        for table in tables:
            again = _Digested(here.rows(table))
            for _ in again:
                pass
            if again.digest != digests[table.name]:
                raise CopyRefused(f"the rows of {table.name} are not the same on both sides")
        wrong = [*invariants.invariant_violations(here.conn), *audit.chain_breaks(here.conn)]
        if wrong:
            raise CopyRefused(f"the books are wrong: {wrong[0]}")
        head = audit.head(here.conn, 2**62)
        restores.mark((there if moves else here).conn, at)
        there.done()  # first: a source that is marked in vain is only careful
        here.done()
    return Copied(count, head)


class _Digested:
    """Passes rows on; afterwards ``digest`` says what they were."""

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self._rows = rows
        self._hash = hashlib.sha256()
        self.count = 0

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        for row in self._rows:
            plain = tuple(cleaned(value) for value in row)
            self._hash.update(repr(plain).encode())
            self.count += 1
            yield plain

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def _tables() -> list[Table]:
    """In an order in which each comes after those that it refers to."""
    with closing(open_file(":memory:")) as conn:
        migrate.migrate(conn)
        names = [
            name
            for (name,) in conn.execute(
                "SELECT name FROM pragma_table_list WHERE type = 'table' AND schema = 'main'"
                " AND name NOT LIKE 'sqlite_%' ORDER BY name"
            )
            if name != LOG
        ]
        parents = {
            name: {
                parent
                for (parent,) in conn.execute(
                    'SELECT "table" FROM pragma_foreign_key_list(?)', (name,)
                )
            }
            - {name}
            for name in names
        }
        ordered: list[str] = []
        while len(ordered) < len(names):
            ordered += [
                name for name in names if name not in ordered and parents[name] <= {*ordered}
            ]
        return [_table(conn, name) for name in ordered]


def _table(conn: sqlite3.Connection, name: str) -> Table:
    columns = conn.execute(
        "SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid", (name,)
    ).fetchall()
    key = [column for column in sorted(columns, key=lambda column: column[2]) if column[2]]
    draws = len(key) == 1 and key[0][1] == "INTEGER" and name not in ("clock", "desk_pins")
    return Table(
        name,
        tuple(column for column, _, _ in columns),
        tuple(column for column, _, _ in key),
        key[0][0] if draws else None,
    )


# A file ---------------------------------------------------------------------------------------


class _File:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self.conn = self._conn = conn
        self._guards: list[tuple[str, str]] = []

    def rows(self, table: Table) -> Iterator[tuple[Any, ...]]:
        # Names come from our own schema.
        order = ", ".join(f'"{column}"' for column in table.key)
        columns = ", ".join(f'"{column}"' for column in table.columns)
        yield from self._conn.execute(f'SELECT {columns} FROM "{table.name}" ORDER BY {order}')  # noqa: S608

    def last_number(self, table: Table) -> int:
        if table.numbered is None:
            return 0
        (last,) = self._conn.execute(
            f'SELECT max("{table.numbered}") FROM "{table.name}"'  # noqa: S608
        ).fetchone()
        row = self._conn.execute(
            "SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,)
        ).fetchone()
        return max(last or 0, 0 if row is None else int(row[0]))

    def empty(self, tables: Sequence[Table]) -> None:
        self._guards = self._conn.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid"
        ).fetchall()
        for guard, _ in self._guards:
            self._conn.execute(f'DROP TRIGGER "{guard}"')
        for table in tables:
            self._conn.execute(f'DELETE FROM "{table.name}"')  # noqa: S608

    def fill(self, table: Table, rows: Iterable[tuple[Any, ...]], last_number: int) -> None:
        columns = ", ".join(f'"{column}"' for column in table.columns)
        values = ", ".join("?" * len(table.columns))
        self._conn.executemany(
            f'INSERT INTO "{table.name}" ({columns}) VALUES ({values})',  # noqa: S608
            rows,
        )
        if last_number and self._keeps_numbers(table):
            self._conn.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table.name,))
            self._conn.execute(
                "INSERT INTO sqlite_sequence VALUES (?, ?)", (table.name, last_number)
            )

    def _keeps_numbers(self, table: Table) -> bool:
        """Whether a number is never given again, though its row is gone."""
        row = self._conn.execute(
            "SELECT instr(sql, 'AUTOINCREMENT') FROM sqlite_schema WHERE name = ?", (table.name,)
        ).fetchone()
        return bool(row[0])

    def done(self) -> None:
        for _, guard in self._guards:
            self._conn.execute(guard)
        self._conn.execute("COMMIT")


# A server -------------------------------------------------------------------------------------


class _Served:
    def __init__(self, raw: PostgresConnection) -> None:
        self.conn = raw
        self._driver: ServerConnection[Any] = raw.driver

    def rows(self, table: Table) -> Iterator[tuple[Any, ...]]:
        statement = sql.SQL("SELECT {} FROM {} ORDER BY {}").format(
            _names(table.columns), sql.Identifier(table.name), _names(table.key)
        )
        with self._driver.cursor(name="rows") as cursor:
            cursor.itersize = ROWS_AT_ONCE
            cursor.execute(statement)
            yield from cursor

    def last_number(self, table: Table) -> int:
        if table.numbered is None:
            return 0
        row = self._driver.execute(
            "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence(%s, %s)::regclass), 0)",
            (table.name, table.numbered),
        ).fetchone()
        return 0 if row is None else int(row[0])

    def empty(self, tables: Sequence[Table]) -> None:
        for table in tables:
            name = sql.Identifier(table.name)
            self._driver.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(name))
            self._driver.execute(sql.SQL("DELETE FROM {}").format(name))

    def fill(self, table: Table, rows: Iterable[tuple[Any, ...]], last_number: int) -> None:
        name = sql.Identifier(table.name)
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(name, _names(table.columns))
        with self._driver.cursor().copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
        self._driver.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(name))
        if table.numbered is not None and last_number:
            self._driver.execute(
                "SELECT setval(pg_get_serial_sequence(%s, %s)::regclass, %s)",
                (table.name, table.numbered, last_number),
            )

    def done(self) -> None:
        self.conn.commit()


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


# Opening them ---------------------------------------------------------------------------------


@contextmanager
def _opened(address: DatabaseAddress) -> Iterator[_Side]:
    """The source; nobody may serve it meanwhile."""
    if isinstance(address, DatabaseServer):
        with _server(address) as raw:
            if postgres_migrations.pending_migrations(raw.driver):
                raise CopyRefused(f"{address} is not up to date: run `hazina migrate` first")
            raw.begin()
            raw.flush()
            yield _Served(raw)
        return
    if not address.exists():
        raise CopyRefused(f"{address} is not there")
    with as_file_failed(), database_file.locked(address), closing(open_file(address)) as conn:
        if migrate.pending_migrations(conn):
            raise CopyRefused(f"{address} is not up to date: run `hazina migrate` first")
        conn.execute("BEGIN IMMEDIATE")
        yield _File(conn)


@contextmanager
def _made(address: DatabaseAddress) -> Iterator[_Side]:
    """The target, with tables that are as a first start makes them."""
    if isinstance(address, DatabaseServer):
        with _server(address) as raw:
            if not _is_blank(raw.driver):
                raise CopyRefused(f"{address} is not empty: name a new database")
            raw.begin()
            raw.flush()
            postgres_migrations.migrate(raw.driver)
            yield _Served(raw)
        return
    if not snapshots.is_blank(address) or snapshots.logs_beside(address):
        raise CopyRefused(f"{address} is there already: name a new file")
    part = address.with_name(f"{address.name}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, snapshots.OWNER_ONLY))
    try:
        with as_file_failed(), database_file.locked(address):
            with closing(open_file(part)) as conn:
                migrate.migrate(conn)
                conn.execute("PRAGMA foreign_keys = ON")
                conn.execute("BEGIN IMMEDIATE")
                yield _File(conn)
            snapshots.sync(part)
            part.replace(address)
            snapshots.sync(address.parent)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _server(address: DatabaseServer) -> Iterator[PostgresConnection]:
    raw = PostgresConnection(partial(connect, address, "copy"))
    with as_server_failed():
        try:
            raw.connect()
            if not is_true(raw.driver, SERVE_ALONE, SERVING):
                raise DatabaseInUse(f"a hazina is using {address}: stop it first")
            raw.driver.execute("SET statement_timeout = 0")
            raw.driver.execute("SET idle_in_transaction_session_timeout = 0")
            yield raw
        finally:
            raw.close()


def _is_blank(conn: ServerConnection[Any]) -> bool:
    return not is_true(
        conn,
        "SELECT EXISTS (SELECT FROM pg_class WHERE relnamespace = current_schema()::regnamespace)",
    )
