"""A fully migrated empty database, built once per process: simulations open hundreds."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

from storage.sqlite.migrate import migrate


@cache
def empty_database() -> bytes:
    """The content of the database file."""
    with tempfile.TemporaryDirectory(prefix="hazina-blank-") as folder:
        path = Path(folder) / "blank.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as conn:
            migrate(conn)
        return path.read_bytes()
