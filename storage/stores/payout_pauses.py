"""Pauses of all payouts."""

from __future__ import annotations

from services.domain.payout_pause import PayoutPause
from storage.sql import Connection
from storage.time.milliseconds import from_ms
from storage.time.transaction_time import TransactionTime


class PayoutPauseStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def standing(self) -> PayoutPause | None:
        row = self._conn.execute(
            "SELECT why, operation, began_at FROM payout_pauses WHERE ended_at IS NULL"
        ).fetchone()
        return None if row is None else PayoutPause(row[0], row[1], from_ms(row[2]))

    def begin(self, why: str, operation: str | None) -> bool:
        cursor = self._conn.execute(
            "INSERT INTO payout_pauses (why, operation, began_at) SELECT ?, ?, ?"
            " WHERE NOT EXISTS (SELECT 1 FROM payout_pauses WHERE ended_at IS NULL)",
            (why, operation, self._time.ms),
        )
        return cursor.rowcount == 1

    def end(self, by: str) -> bool:
        cursor = self._conn.execute(
            "UPDATE payout_pauses SET ended_at = ?, ended_by = ? WHERE ended_at IS NULL",
            (self._time.ms, by),
        )
        return cursor.rowcount == 1
