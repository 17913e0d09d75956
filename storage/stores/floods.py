"""Rate-limited accounts: since when, and until when they get no answers."""

from __future__ import annotations

from datetime import datetime

from services.domain.flood import Flood
from storage.sql import Connection
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime


class FloodStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def note(self, channel: str, address: str, until: datetime) -> None:
        """Record that the account was just asked to slow down."""
        self._conn.execute(
            "INSERT INTO floods (channel, address, told_at, until) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (channel, address) DO UPDATE SET"
            " told_at = excluded.told_at, until = excluded.until",
            (channel, address, self._time.ms, to_ms(until)),
        )

    def get(self, channel: str, address: str) -> Flood | None:
        row = self._conn.execute(
            "SELECT channel, address, told_at, until FROM floods WHERE channel = ? AND address = ?",
            (channel, address),
        ).fetchone()
        return None if row is None else _flood(row)

    def newest(self, limit: int) -> list[Flood]:
        """Accounts still rate limited first, then newest first."""
        rows = self._conn.execute(
            "SELECT channel, address, told_at, until FROM floods"
            " ORDER BY (until > ?) DESC, told_at DESC, channel, address LIMIT ?",
            (self._time.ms, limit),
        )
        return [_flood(row) for row in rows]

    def count(self) -> int:
        """How many accounts ``newest`` could list."""
        return int(self._conn.execute("SELECT count(*) FROM floods").fetchone()[0])

    def let_go(self, channel: str, address: str) -> None:
        """Lift the rate limit now."""
        self._conn.execute(
            "UPDATE floods SET until = ? WHERE channel = ? AND address = ?",
            (self._time.ms, channel, address),
        )

    def delete_before(self, moment: datetime, limit: int) -> int:
        return self._conn.execute(
            "DELETE FROM floods WHERE (channel, address) IN"
            " (SELECT channel, address FROM floods WHERE told_at < ? LIMIT ?)",
            (to_ms(moment), limit),
        ).rowcount


def _flood(row: tuple[str, str, int, int]) -> Flood:
    channel, address, told_at, until = row
    return Flood(channel, address, from_ms(told_at), from_ms(until))
