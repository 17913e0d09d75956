"""SQLite's errors as callers know them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from services.domain.database import DatabaseFailed


@contextmanager
def as_database_failed() -> Iterator[None]:
    """Raise ``DatabaseFailed`` for an error of SQLite. Also a decorator of functions."""
    try:
        yield
    except sqlite3.Error as error:
        raise DatabaseFailed(str(error)) from error
