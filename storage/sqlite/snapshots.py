"""Whole database files (``services.ports.database_files``): copying them while in use, and
validating them before use."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime
from pathlib import Path

from services.domain.database import InvalidDatabaseFile, MigrationError
from storage import invariants
from storage.sqlite import database_file, schema
from storage.sqlite.damage import FileCheck
from storage.sqlite.faults import as_database_failed
from storage.sqlite.migrate import applied_migrations, migrate, pending_migrations, refuse_additions
from storage.stores import audit, restores
from storage.stores.clock import ClockStore
from storage.time.transaction_time import TransactionTime

OWNER_ONLY = 0o600
MAGIC = b"SQLite format 3\0"
LOGS = ("-wal", "-journal")  # ends of the names of what SQLite keeps beside a database
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError)  # the latter where SQLite quotes damaged names


@as_database_failed()
def copy(database: Path, to: Path, at: datetime | None = None) -> None:
    """Copy ``database`` as of one consistent moment, into an owner-only file.

    The copy is marked as made ``at`` that moment (default: now), so that whoever opens it to serve
    knows that the original went on. Writers are not blocked meanwhile. Raises ``DatabaseFailed``,
    ``OSError``; ``to`` must not exist.
    """
    os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY))
    with closing(_reader(database)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)  # in one step: a write in between would restart it
        target.execute("PRAGMA journal_mode = DELETE")  # so that it is a single file
        _mark(target, at or datetime.now(UTC))
    sync(to)


@as_database_failed()
def mark(database: Path, at: datetime) -> None:
    """Mark a copy that was made without a mark, no older than its newest content.

    Raises ``DatabaseFailed``.
    """
    with closing(sqlite3.connect(database)) as conn:
        newest = ClockStore(conn, TransactionTime(at)).newest()
        _mark(conn, at if newest is None else max(at, newest))


def _mark(conn: sqlite3.Connection, at: datetime) -> None:
    """A database from before marks existed is left alone: ``hazina restore`` migrates it first."""
    if ("table", "restores") in schema.read(conn):
        with conn:
            restores.mark(conn, at)


def sync(path: Path) -> None:
    """Flush a folder's names, or a file's content, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def validate(database: Path) -> None:
    """Check that the file is a complete database of this program, of any version, before it is
    opened for writing or any trigger in it can run. Raises ``InvalidDatabaseFile``, ``OSError``."""
    with database.open("rb") as file:
        header = file.read(100)
        size = os.fstat(file.fileno()).st_size
    if size == 0:
        raise InvalidDatabaseFile("it is empty")
    if not header.startswith(MAGIC):
        raise InvalidDatabaseFile("it is no SQLite database")
    page, pages = int.from_bytes(header[16:18], "big"), int.from_bytes(header[28:32], "big")
    meant = pages * (65_536 if page == 1 else page)  # SQLite's file format, "The Database Header"
    if size != meant:  # SQLite itself reads a truncated page as if zeros followed
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
    """Check the structure of its pages, not their content. Raises ``InvalidDatabaseFile``."""
    try:
        with closing(_reader(database)) as conn:
            (line,) = conn.execute("PRAGMA quick_check(1)").fetchone()
    except _UNREADABLE as why:
        raise InvalidDatabaseFile(f"it cannot be read to its end: {why}") from None
    if line != "ok":
        raise InvalidDatabaseFile(f"it is damaged: {line}")


def upgrade(database: Path) -> None:
    """Migrate a copy made by an older program, as a single file, so that its books can be checked.
    Raises ``InvalidDatabaseFile``, ``OSError``."""
    validate(database)
    try:
        with closing(sqlite3.connect(database, isolation_level=None)) as conn:
            conn.execute("PRAGMA journal_mode = DELETE")
            conn.execute("PRAGMA foreign_keys = ON")
            migrate(conn)
    except (MigrationError, *_UNREADABLE) as why:
        raise InvalidDatabaseFile(f"it cannot be brought up to date: {why}") from None


def is_empty(file: Path) -> bool:
    """The file is missing or has no content. Raises ``OSError``."""
    return not file.exists() or file.stat().st_size == 0


@as_database_failed()
def is_blank(database: Path) -> bool:
    """The file is missing, or a database with nothing in it. Raises ``OSError``, and
    ``DatabaseFailed`` for any other kind of file."""
    if is_empty(database):
        return True
    with closing(_reader(database)) as conn:
        return not [name for _, name in schema.read(conn) if name != "schema_migrations"]


def logs_beside(database: Path) -> list[Path]:
    """Non-empty logs beside it, which SQLite would apply to any database of this name."""
    logs = (database.with_name(database.name + tail) for tail in LOGS)
    return [log for log in logs if not is_empty(log)]


def remove_index_beside(database: Path) -> None:
    """SQLite makes it again from the log."""
    database.with_name(f"{database.name}-shm").unlink(missing_ok=True)


def file_check(database: Path) -> FileCheck:
    return FileCheck(database)


def locked(database: Path) -> AbstractContextManager[None]:
    """Raises ``DatabaseInUse``, ``LockingUnsupported``, ``OSError``."""
    return database_file.locked(database)


def faults(database: Path) -> Iterator[str]:
    """What is wrong with the file, its schema, the books and the audit log, in words. Of a damaged
    file only the damage is reported, since its numbers mean nothing."""
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
