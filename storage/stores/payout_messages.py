"""What M-PESA posted, and the questions it was asked."""

from __future__ import annotations

import hashlib
from datetime import datetime

from storage.sql import Connection
from storage.time.milliseconds import to_ms
from storage.time.transaction_time import TransactionTime


class PayoutMessageStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def repeated(self, kind: str, body: bytes) -> bool:
        cursor = self._conn.execute(
            "UPDATE payout_messages SET times = times + 1 WHERE digest = ?", (_digest(kind, body),)
        )
        return cursor.rowcount == 1

    def add(self, kind: str, body: bytes, operation: str | None, concluded: str) -> None:
        self._conn.execute(
            "INSERT INTO payout_messages (digest, kind, body, operation, concluded, received_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (_digest(kind, body), kind, body, operation, concluded, self._time.ms),
        )

    def note_query(self, conversation_id: str, operation: str) -> None:
        self._conn.execute(
            "INSERT INTO payout_queries (conversation_id, operation, asked_at) VALUES (?, ?, ?)"
            " ON CONFLICT (conversation_id) DO NOTHING",
            (conversation_id, operation, self._time.ms),
        )

    def asked_about(self, conversation_id: str) -> str | None:
        row = self._conn.execute(
            "SELECT operation FROM payout_queries WHERE conversation_id = ?", (conversation_id,)
        ).fetchone()
        return None if row is None else str(row[0])

    def delete_before(self, moment: datetime, limit: int) -> int:
        messages = self._conn.execute(
            "DELETE FROM payout_messages WHERE id IN (SELECT id FROM payout_messages"
            " WHERE received_at < ? AND operation IS NULL LIMIT ?)",
            (to_ms(moment), limit),
        ).rowcount
        queries = self._conn.execute(
            "DELETE FROM payout_queries WHERE conversation_id IN"
            " (SELECT conversation_id FROM payout_queries WHERE asked_at < ? LIMIT ?)",
            (to_ms(moment), limit),
        ).rowcount
        return max(messages, queries)


def _digest(kind: str, body: bytes) -> str:
    return hashlib.sha256(kind.encode() + b"\0" + body).hexdigest()
