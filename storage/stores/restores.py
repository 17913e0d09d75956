"""Restores from backup, and the mark that identifies a backup."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from services.domain.restore import Restore
from storage.sql import Connection
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime


def mark(conn: Connection, made_at: datetime) -> None:
    """Mark a copy as a backup; a copy of a copy keeps the first one's time."""
    conn.execute(
        "INSERT INTO restores (made_at) SELECT ? WHERE NOT EXISTS"
        " (SELECT 1 FROM restores WHERE begun_at IS NULL)",
        (to_ms(made_at),),
    )


class RestoreStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def backup_made_at(self) -> datetime | None:
        """When the backup was made, until it is first opened to serve."""
        row = self._conn.execute("SELECT made_at FROM restores WHERE begun_at IS NULL").fetchone()
        made_at: int | None = None if row is None else row[0]
        return from_ms(made_at)

    def begun(self, found: Mapping[str, list[str] | int]) -> None:
        """Record that it serves from now on."""
        self._conn.execute(
            "UPDATE restores SET begun_at = ?, found = ? WHERE begun_at IS NULL",
            (self._time.ms, json.dumps(found, sort_keys=True)),
        )

    def unannounced(self) -> list[Restore]:
        """Restores not yet announced to admins, oldest first."""
        rows = self._conn.execute(
            "SELECT id, made_at, found FROM restores"
            " WHERE begun_at IS NOT NULL AND told_at IS NULL ORDER BY id"
        )
        return [Restore(number, from_ms(made), json.loads(found)) for number, made, found in rows]

    def told(self, restore_id: int) -> None:
        self._conn.execute(
            "UPDATE restores SET told_at = ? WHERE id = ?", (self._time.ms, restore_id)
        )
