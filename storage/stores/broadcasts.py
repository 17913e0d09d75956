"""Broadcasts, and how far each has got."""

from __future__ import annotations

from typing import Any

from services.domain.broadcast import Broadcast, Recipient
from storage.sql import Connection
from storage.time.milliseconds import from_ms
from storage.time.transaction_time import TransactionTime


class BroadcastStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def add(self, broadcast_id: str, text: str, by: str) -> bool:
        """False when the id is taken, or another broadcast is running."""
        return (
            self._conn.execute(
                "INSERT INTO broadcasts (id, text, started_by, started_at, state)"
                " VALUES (?, ?, ?, ?, 'RUNNING') ON CONFLICT DO NOTHING",
                (broadcast_id, text, by, self._time.ms),
            ).rowcount
            == 1
        )

    def get(self, broadcast_id: str) -> Broadcast | None:
        row = self._conn.execute(
            "SELECT id, text, started_by, started_at, state, last_person, told FROM broadcasts"
            " WHERE id = ?",
            (broadcast_id,),
        ).fetchone()
        return None if row is None else _broadcast(row)

    def running(self) -> Broadcast | None:
        row = self._conn.execute(
            "SELECT id, text, started_by, started_at, state, last_person, told FROM broadcasts"
            " WHERE state = 'RUNNING'"
        ).fetchone()
        return None if row is None else _broadcast(row)

    def page(self, before: str | None, limit: int) -> list[Broadcast]:
        """Newest first, after the broadcast ``before``."""
        rows = self._conn.execute(
            "SELECT id, text, started_by, started_at, state, last_person, told FROM broadcasts"
            " WHERE CAST(? AS TEXT) IS NULL OR (started_at, id) <"
            " (SELECT started_at, id FROM broadcasts WHERE id = ?)"
            " ORDER BY started_at DESC, id DESC LIMIT ?",
            (before, before, limit),
        )
        return [_broadcast(row) for row in rows]

    def count(self, down_to: str | None = None) -> int:
        """The number of broadcasts, or of those down to that one in ``page``."""
        row = self._conn.execute(
            "SELECT count(*) FROM broadcasts WHERE CAST(? AS TEXT) IS NULL OR (started_at, id) >="
            " (SELECT started_at, id FROM broadcasts WHERE id = ?)",
            (down_to, down_to),
        ).fetchone()
        return int(row[0])

    def count_recipients(self) -> dict[str, int]:
        """How many accounts are linked to an active partner, by channel."""
        rows = self._conn.execute(
            "SELECT a.channel, count(*) FROM addresses AS a JOIN people AS p ON p.id = a.person_id"
            " JOIN partners AS r ON r.code = p.partner WHERE r.suspended = 0"
            " GROUP BY a.channel ORDER BY a.channel"
        )
        return dict(rows.fetchall())

    def next_recipients(self, after: int, people: int) -> list[Recipient]:
        """All accounts of the next ``people`` people after the person ``after``."""
        rows = self._conn.execute(
            "SELECT p.id, a.channel, a.address, p.language"
            " FROM (SELECT p.id, p.language FROM people AS p"
            "  JOIN partners AS r ON r.code = p.partner WHERE p.id > ? AND r.suspended = 0"
            "  AND EXISTS (SELECT 1 FROM addresses WHERE person_id = p.id)"
            "  ORDER BY p.id LIMIT ?) AS p JOIN addresses AS a ON a.person_id = p.id"
            " ORDER BY p.id, a.channel, a.address",
            (after, people),
        )
        return [Recipient(*row) for row in rows]

    def went_on(self, broadcast_id: str, last_person: int, told: int) -> None:
        self._conn.execute(
            "UPDATE broadcasts SET last_person = ?, told = told + ? WHERE id = ?",
            (last_person, told, broadcast_id),
        )

    def end(self, broadcast_id: str, state: str) -> bool:
        """False when it has ended already."""
        return (
            self._conn.execute(
                "UPDATE broadcasts SET state = ?, ended_at = ? WHERE id = ? AND state = 'RUNNING'",
                (state, self._time.ms, broadcast_id),
            ).rowcount
            == 1
        )


def _broadcast(row: tuple[Any, ...]) -> Broadcast:
    broadcast_id, text, by, started_at, state, last_person, told = row
    return Broadcast(broadcast_id, text, by, from_ms(started_at), state, last_person, told)
