"""Rows cached in memory are dropped when any process has changed them in the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from storage.time.transaction_time import TransactionTime


class CacheVersion:
    """Of one store's cache; ``name`` is its row of ``cache_versions``, and ``drop`` clears it."""

    def __init__(
        self, conn: sqlite3.Connection, time: TransactionTime, name: str, drop: Callable[[], None]
    ) -> None:
        self._conn = conn
        self._time = time
        self._name = name
        self._drop = drop
        self._version = -1
        self._checked_in = 0  # the function that checked last

    def check(self) -> None:
        """Call before each use of the cache. Asks the database once per function: a function goes
        by the settings it began with."""
        if self._checked_in == self._time.function:
            return
        (version,) = self._conn.execute(
            "SELECT version FROM cache_versions WHERE name = ?", (self._name,)
        ).fetchone()
        if version != self._version:
            self._drop()
        self._version, self._checked_in = version, self._time.function

    def bump(self) -> None:
        """Call in the transaction that changes the rows. Until its end, other writers of these rows
        wait."""
        self._drop()
        (self._version,) = self._conn.execute(
            "UPDATE cache_versions SET version = version + 1 WHERE name = ? RETURNING version",
            (self._name,),
        ).fetchone()
