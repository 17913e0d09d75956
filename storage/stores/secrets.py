"""Credentials, sealed with keys that are stored elsewhere."""

from __future__ import annotations

from services.domain.stored_secret import StoredSecret
from storage.sql import Connection
from storage.time.milliseconds import from_ms
from storage.time.transaction_time import TransactionTime


class SecretStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def every(self) -> list[StoredSecret]:
        rows = self._conn.execute("SELECT name, sealed, set_at FROM secrets ORDER BY name")
        return [StoredSecret(name, sealed, from_ms(set_at)) for name, sealed, set_at in rows]

    def put(self, name: str, sealed: str) -> None:
        """Set a value now, in place of an earlier one."""
        self._conn.execute(
            "INSERT INTO secrets (name, sealed, set_at) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, set_at = excluded.set_at",
            (name, sealed, self._time.ms),
        )

    def reseal(self, name: str, sealed: str) -> None:
        """Store the same value sealed with another key."""
        self._conn.execute("UPDATE secrets SET sealed = ? WHERE name = ?", (sealed, name))

    def remove(self, name: str) -> bool:
        """False if there was none."""
        return self._conn.execute("DELETE FROM secrets WHERE name = ?", (name,)).rowcount == 1
