"""Whole databases: copied while they are written to, and looked at before they are trusted."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from storage import invariants
from storage.sqlite import schema
from storage.sqlite.migrate import (
    MigrationError,
    applied_migrations,
    migrate,
    pending_migrations,
    refuse_additions,
)
from storage.stores import audit, restores
from storage.stores.clock import ClockStore
from storage.time.transaction_time import TransactionTime

OWNER_ONLY = 0o600
MAGIC = b"SQLite format 3\0"
LOGS = ("-wal", "-journal")  # ends of names: what SQLite keeps of a database beside it
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError)  # the second where SQLite quotes damaged names


class InvalidDatabaseFile(Exception):
    """The file is no database of this program, or not the whole of one; says why."""


def copy(database: Path, to: Path, at: datetime | None = None) -> None:
    """One consistent moment of ``database``, in a file of its own that only its owner may read.

    The copy is marked as made ``at`` that moment (left out: now), so that whoever opens it as a
    desk knows that the other went on. The desk goes on meanwhile: a reader keeps nobody from
    writing. Raises ``sqlite3.Error``, ``OSError``; ``to`` must not be there yet.
    """
    os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY))
    with closing(_reader(database)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)  # in one step: SQLite begins anew when somebody writes in between
        target.execute("PRAGMA journal_mode = DELETE")  # all of it in the one file
        _mark(target, at or datetime.now(UTC))
    sync(to)


def mark(database: Path, at: datetime) -> None:
    """The same mark for a copy that was made without one, which is never older than what is in it.

    Raises ``sqlite3.Error``.
    """
    with closing(sqlite3.connect(database)) as conn:
        newest = ClockStore(conn, TransactionTime(at)).newest()
        _mark(conn, at if newest is None else max(at, newest))


def _mark(conn: sqlite3.Connection, at: datetime) -> None:
    with conn:
        restores.mark(conn, at)


def sync(path: Path) -> None:
    """On disk when this returns; a folder's names, or a file's content."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def validate(database: Path) -> None:
    """Whether it is all of a database of this program, of whatever version, before anything is done
    to it, and before anything in it can do something. Raises ``InvalidDatabaseFile``,
    ``OSError``."""
    with database.open("rb") as file:
        header = file.read(100)
        size = os.fstat(file.fileno()).st_size
    if size == 0:
        raise InvalidDatabaseFile("it is empty")
    if not header.startswith(MAGIC):
        raise InvalidDatabaseFile("it is no SQLite database")
    page, pages = int.from_bytes(header[16:18], "big"), int.from_bytes(header[28:32], "big")
    meant = pages * (65_536 if page == 1 else page)  # SQLite's file format, "The Database Header"
    if size != meant:  # SQLite itself reads a page that is cut off as if zeros came after it
        raise InvalidDatabaseFile(f"it is cut off, or not whole: {size:,} bytes of {meant:,}")
    try:
        with closing(_reader(database)) as conn:
            (application,) = conn.execute("PRAGMA application_id").fetchone()
            if application != 0:
                raise InvalidDatabaseFile(
                    f"it is another program's: its application_id is {application:#x}"
                )
            pending_migrations(conn)
            if not applied_migrations(conn):
                raise InvalidDatabaseFile("there is nothing in it")
            refuse_additions(conn)
    except MigrationError as why:
        raise InvalidDatabaseFile(str(why)) from None
    except _UNREADABLE as why:
        raise InvalidDatabaseFile(f"it cannot be read: {why}") from None


def check_pages(database: Path) -> None:
    """Whether they hang together, without a look at what they hold. Raises
    ``InvalidDatabaseFile``."""
    try:
        with closing(_reader(database)) as conn:
            (line,) = conn.execute("PRAGMA quick_check(1)").fetchone()
    except _UNREADABLE as why:
        raise InvalidDatabaseFile(f"it cannot be read to its end: {why}") from None
    if line != "ok":
        raise InvalidDatabaseFile(f"it is damaged: {line}")


def upgrade(database: Path) -> None:
    """Bring a copy from an older program up to date, all of it in the one file, so that its books
    can be looked at. Raises ``InvalidDatabaseFile``, ``OSError``."""
    validate(database)
    try:
        with closing(sqlite3.connect(database, isolation_level=None)) as conn:
            conn.execute("PRAGMA journal_mode = DELETE")
            conn.execute("PRAGMA foreign_keys = ON")
            migrate(conn)
    except (MigrationError, *_UNREADABLE) as why:
        raise InvalidDatabaseFile(f"it cannot be brought up to date: {why}") from None


def is_empty(file: Path) -> bool:
    """Not there, or without content. Raises ``OSError``."""
    return not file.exists() or file.stat().st_size == 0


def is_blank(database: Path) -> bool:
    """Whoever opens it makes all of it: it is not there, or nothing is in it. Raises ``OSError``,
    and ``sqlite3.Error`` where it is something else."""
    if is_empty(database):
        return True
    with closing(_reader(database)) as conn:
        return not [name for _, name in schema.read(conn) if name != "schema_migrations"]


def faults(database: Path) -> Iterator[str]:
    """What is wrong with it, in words: the file, its shape, the books, the audit log; only of the
    file where that is damaged, since then a number may be anything."""
    try:
        with closing(_reader(database)) as conn:
            lines = [line for (line,) in conn.execute("PRAGMA integrity_check(10)")]
            if lines != ["ok"]:
                yield from (f"file: {line}" for line in lines)
                return
            if conn.execute("PRAGMA foreign_key_check").fetchone() is not None:
                yield "file: a row belongs to one that is not there"
            yield from invariants.invariant_violations(conn)
            yield from audit.chain_breaks(conn)
    except _UNREADABLE as why:
        yield f"file: it cannot be read to its end: {why}"


def _reader(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)
