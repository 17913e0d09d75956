"""An empty database as all migrations leave it, made once a process: simulations open hundreds."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

from storage.sqlite.migrate import migrate


@cache
def empty_database() -> bytes:
    """The file, to be written where a database is to be."""
    with tempfile.TemporaryDirectory(prefix="hazina-blank-") as folder:
        path = Path(folder) / "blank.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as conn:
            migrate(conn)
        return path.read_bytes()
