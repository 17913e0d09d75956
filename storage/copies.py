"""Whole databases: copied while they are written to, and looked at before they are trusted."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from storage import audit, problems, restores
from storage.migrate import migrate

OWNER_ONLY = 0o600


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
    """The same mark for a copy that was made without one. Raises ``sqlite3.Error``."""
    with closing(sqlite3.connect(database)) as conn:
        _mark(conn, at)


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


def bring_up(database: Path) -> None:
    """Bring a copy from an older program up to date, so that it can be looked at.

    Raises ``MigrationError``, and ``sqlite3.Error`` on a file that is no database.
    """
    with closing(sqlite3.connect(database, isolation_level=None)) as conn:
        conn.execute("PRAGMA foreign_keys = ON")
        migrate(conn)


def faults(database: Path) -> Iterator[str]:
    """What is wrong with it, in words: the file, its shape, the books, the audit log.

    Raises ``sqlite3.Error`` on a file that is no database.
    """
    with closing(_reader(database)) as conn:
        for (line,) in conn.execute("PRAGMA integrity_check(10)"):
            if line != "ok":
                yield f"file: {line}"
        if conn.execute("PRAGMA foreign_key_check").fetchone() is not None:
            yield "file: a row belongs to one that is not there"
        yield from problems.problems(conn)
        yield from audit.problems(conn)


def _reader(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)
