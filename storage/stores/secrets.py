"""Credentials, sealed by keys that are not here."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from storage.sqlite.migrate import applied_migrations
from storage.time.milliseconds import from_ms
from storage.time.transaction_time import TransactionTime

SINCE = 4  # the migration that brought the table


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """``name`` is the setting it stands for, ``set_at`` when its value was last set."""

    name: str
    sealed: str
    set_at: datetime


class SecretStore:
    def __init__(self, conn: sqlite3.Connection, moment: TransactionTime) -> None:
        self._conn = conn
        self._moment = moment

    def every(self) -> list[StoredSecret]:
        rows = self._conn.execute("SELECT name, sealed, set_at FROM secrets ORDER BY name")
        return [StoredSecret(name, sealed, from_ms(set_at)) for name, sealed, set_at in rows]

    def put(self, name: str, sealed: str) -> None:
        """A value set now, in the place of one before."""
        self._conn.execute(
            "INSERT INTO secrets (name, sealed, set_at) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, set_at = excluded.set_at",
            (name, sealed, self._moment.ms),
        )

    def reseal(self, name: str, sealed: str) -> None:
        """The same value by another key."""
        self._conn.execute("UPDATE secrets SET sealed = ? WHERE name = ?", (sealed, name))

    def remove(self, name: str) -> bool:
        """False where there was none."""
        return self._conn.execute("DELETE FROM secrets WHERE name = ?", (name,)).rowcount == 1


def stored_secrets(database: Path) -> list[StoredSecret]:
    """What is needed before the database is opened, read beside whoever has it open.

    None where there is no database yet, or one from before the table. Raises ``sqlite3.Error``.
    """
    if not database.exists():
        return []
    with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as conn:
        if SINCE not in applied_migrations(conn):
            return []
        return SecretStore(conn, TransactionTime(datetime.fromtimestamp(0, UTC))).every()
