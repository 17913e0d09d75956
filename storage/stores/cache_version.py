"""Rows cached in memory are dropped when any process has changed them in the database."""

from __future__ import annotations

from collections.abc import Callable

from storage.sql import Connection
from storage.time.transaction_time import TransactionTime


class CacheVersions:
    """The versions of all caches, read together and once per function: a function goes by the
    settings it began with."""

    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time
        self._read_in = 0  # the function that read last
        self._versions: dict[str, int] = {}

    def of(self, name: str) -> int:
        if self._read_in != self._time.function:
            rows = self._conn.execute("SELECT name, version FROM cache_versions")
            self._versions, self._read_in = dict(rows.fetchall()), self._time.function
        return self._versions[name]

    def bump(self, name: str) -> int:
        """Raise a version. Until the end of this transaction, other writers of its rows wait."""
        (version,) = self._conn.execute(
            "UPDATE cache_versions SET version = version + 1 WHERE name = ? RETURNING version",
            (name,),
        ).fetchone()
        self._versions[name] = int(version)
        return int(version)


class CacheVersion:
    """Of one store's cache; ``name`` is its row of ``cache_versions``, and ``drop`` clears it."""

    def __init__(self, versions: CacheVersions, name: str, drop: Callable[[], None]) -> None:
        self._versions = versions
        self._name = name
        self._drop = drop
        self._version = -1

    def check(self) -> None:
        """Call before each use of the cache."""
        version = self._versions.of(self._name)
        if version != self._version:
            self._drop()
            self._version = version

    def bump(self) -> None:
        """Call in the transaction that changes the rows."""
        self._drop()
        self._version = self._versions.bump(self._name)
