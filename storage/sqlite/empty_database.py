"""A fully migrated empty database, built once per process: simulations open hundreds."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

from storage.sqlite.connection import PRAGMAS, connect
from storage.sqlite.migrate import migrate


@cache
def empty_database() -> bytes:
    """The content of the database file."""
    with tempfile.TemporaryDirectory(prefix="hazina-blank-") as folder:
        path = Path(folder) / "blank.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as conn:
            migrate(conn)
        return path.read_bytes()


def in_memory() -> sqlite3.Connection:
    """A blank database that lives until it is closed, for ``Database.open`` without threads."""
    conn = connect(":memory:")
    with closing(connect(":memory:")) as made:
        made.deserialize(empty_database())
        made.backup(conn)
    for pragma in PRAGMAS:  # only once: each of them invalidates all prepared statements
        conn.execute(pragma)
    return conn
