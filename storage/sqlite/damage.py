"""Detects a damaged database file, from SQLite's errors or by checking every page."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from services.domain.database import DatabaseDamaged
from storage.sqlite.faults import as_database_failed

_PRIMARY = 0xFF  # of an extended error code
_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_HEAD = "*** in database main ***"


def damage_reported_by(error: BaseException | None) -> str | None:
    """What SQLite reported about the file in ``error`` or its causes; ``None`` if nothing."""
    while error is not None:
        code = getattr(error, "sqlite_errorcode", None)
        if code is not None and code & _PRIMARY in _CODES:
            return str(error)
        error = error.__cause__ or error.__context__
    return None


class FileCheck:
    """Checks a database file, even while it is in use."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._conn: sqlite3.Connection | None = None

    @as_database_failed()
    def run(self) -> str | None:
        """Read every page from disk (a few ms per megabyte) and return the first fault on one line.
        It opens its own connection, since a lasting one would trust its cached pages.

        Raises ``DatabaseFailed`` when the file cannot be read for reasons other than damage.
        """
        uri = f"{self._path.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, check_same_thread=False)) as conn:
            self._conn = conn
            try:
                return _first_fault(conn)
            finally:
                self._conn = None

    def interrupt(self) -> None:
        """Abort a run on another thread, which then raises ``DatabaseFailed``."""
        if (conn := self._conn) is not None:
            with suppress(sqlite3.ProgrammingError):  # closed at this very moment
                conn.interrupt()


def refuse_damaged(path: Path) -> None:
    """Check the file before it is opened. Raises ``DatabaseDamaged``."""
    wrong = FileCheck(path).run()
    if wrong is not None:
        raise DatabaseDamaged(f"{path} is damaged, restore a backup: {wrong}")


def _first_fault(conn: sqlite3.Connection) -> str | None:
    try:
        (line,) = conn.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if damage_reported_by(error) is None:
            raise
        return str(error)
    return None if line == "ok" else " ".join(line.replace(_HEAD, "").split())
