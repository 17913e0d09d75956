"""What says that the file itself is damaged: SQLite's own errors, and a check of every page."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

_PRIMARY = 0xFF  # of an extended code
_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_HEAD = "*** in database main ***"


class DatabaseDamaged(Exception):
    """The file cannot be trusted; says what was found."""


def damage_reported_by(error: BaseException | None) -> str | None:
    """What SQLite says of the file in ``error``, or in what led to it; ``None`` if nothing."""
    while error is not None:
        code = getattr(error, "sqlite_errorcode", None)
        if code is not None and code & _PRIMARY in _CODES:
            return str(error)
        error = error.__cause__ or error.__context__
    return None


class FileCheck:
    """Looks at a database, also while it is in use."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._conn: sqlite3.Connection | None = None

    def run(self) -> str | None:
        """Read every page from the disk (some ms a megabyte), and say on one line what is wrong
        first. A connection that lasts would trust what it has read before.

        Raises ``sqlite3.Error`` where it cannot be read for other reasons than damage.
        """
        uri = f"{self._path.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, check_same_thread=False)) as conn:
            self._conn = conn
            try:
                return _first_fault(conn)
            finally:
                self._conn = None

    def interrupt(self) -> None:
        """End a run in another thread: it raises ``sqlite3.OperationalError``."""
        if (conn := self._conn) is not None:
            with suppress(sqlite3.ProgrammingError):  # closed in this very moment
                conn.interrupt()


def refuse_damaged(path: Path) -> None:
    """Nothing is done with a file that is damaged. Raises ``DatabaseDamaged``."""
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
