"""Conversation state, handled events, and live messages."""

from __future__ import annotations

from datetime import datetime

from services.domain.session import SessionRow
from storage import locks
from storage.locks import LockKind, Locks
from storage.sql import Connection
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime


class SessionStore:
    def __init__(self, conn: Connection, time: TransactionTime, locks: Locks) -> None:
        self._conn = conn
        self._time = time
        self._locks = locks

    def mark_handled(self, channel: str, event_id: str, fault: str | None = None) -> bool:
        """Mark the event as handled; False when it was already."""
        cursor = self._conn.execute(
            "INSERT INTO events (channel, event_id, decided_at, fault) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (channel, event_id) DO NOTHING",
            (channel, event_id, self._time.ms, fault),
        )
        return cursor.rowcount == 1

    def is_handled(self, channel: str, event_id: str) -> bool:
        row = self._conn.execute(
            "SELECT 1 FROM events WHERE channel = ? AND event_id = ?", (channel, event_id)
        ).fetchone()
        return row is not None

    def load(self, channel: str, address: str) -> SessionRow | None:
        self._locks.take(LockKind.CHAT, locks.chat(channel, address))
        row = self._conn.execute(
            "SELECT turn, flow, node, body, expires_at FROM sessions"
            " WHERE channel = ? AND address = ?",
            (channel, address),
        ).fetchone()
        if row is None:
            return None
        return SessionRow(row[0], row[1], row[2], row[3], from_ms(row[4]))

    def save(self, channel: str, address: str, row: SessionRow) -> None:
        self._conn.execute(
            "INSERT INTO sessions (channel, address, turn, flow, node, body, expires_at,"
            " updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (channel, address) DO UPDATE SET"
            " turn = excluded.turn, flow = excluded.flow, node = excluded.node,"
            " body = excluded.body, expires_at = excluded.expires_at,"
            " updated_at = excluded.updated_at",
            (
                channel,
                address,
                row.turn,
                row.flow,
                row.node,
                row.body,
                to_ms(row.expires_at),
                self._time.ms,
            ),
        )

    def expired(self, limit: int) -> list[tuple[str, str]]:
        """(channel, address) of expired conversations, oldest first."""
        return self._conn.execute(
            "SELECT channel, address FROM sessions WHERE expires_at <= ?"
            " ORDER BY expires_at, channel, address LIMIT ?",
            (self._time.ms, limit),
        ).fetchall()

    def next_expiry(self) -> datetime | None:
        row = self._conn.execute(
            "SELECT min(expires_at) FROM sessions WHERE expires_at IS NOT NULL"
        ).fetchone()
        expires_at: int | None = row[0]
        return from_ms(expires_at)

    def take_slot(self, channel: str, address: str, slot: str, message_id: str) -> None:
        """Make ``message_id`` the slot's live message."""
        self._conn.execute(
            "INSERT INTO slots (channel, address, slot, message_id, updated_at)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (channel, address, slot) DO UPDATE SET"
            " message_id = excluded.message_id, updated_at = excluded.updated_at",
            (channel, address, slot, message_id, self._time.ms),
        )

    def slot(self, channel: str, address: str, slot: str) -> str | None:
        """The slot's live message, if it has one."""
        row = self._conn.execute(
            "SELECT message_id FROM slots WHERE channel = ? AND address = ? AND slot = ?",
            (channel, address, slot),
        ).fetchone()
        return None if row is None else str(row[0])

    def delete_unseen(self, moment: datetime, limit: int) -> int:
        """Delete strangers' conversations, idle since before this, that never showed a button. A
        button carries its turn number, so any other conversation must not start again at zero."""
        return self._conn.execute(
            "DELETE FROM sessions WHERE (channel, address) IN"
            " (SELECT channel, address FROM sessions WHERE turn = 0 AND expires_at IS NULL"
            "  AND updated_at < ? LIMIT ?)",
            (to_ms(moment), limit),
        ).rowcount

    def delete_before(self, events: datetime, slots: datetime, limit: int) -> int:
        """Delete handled events and idle slots older than these; returns how many rows."""
        deleted = self._conn.execute(
            "DELETE FROM events WHERE (channel, event_id) IN"
            " (SELECT channel, event_id FROM events WHERE decided_at < ? LIMIT ?)",
            (to_ms(events), limit),
        ).rowcount
        deleted += self._conn.execute(
            "DELETE FROM slots WHERE (channel, address, slot) IN"
            " (SELECT channel, address, slot FROM slots WHERE updated_at < ? LIMIT ?)",
            (to_ms(slots), limit),
        ).rowcount
        return deleted
