"""Answers to calls with an idempotency key."""

from __future__ import annotations

from services.domain.api_answer import KeyedAnswer, StoredAnswer
from storage.sql import Connection
from storage.time.transaction_time import TransactionTime


class ApiAnswerStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def get(self, partner: str, idempotency_key: str) -> KeyedAnswer | None:
        row = self._conn.execute(
            "SELECT pepper_id, fingerprint, status, content_type, body, location, operation"
            " FROM api_answers WHERE partner = ? AND idempotency_key = ?",
            (partner, idempotency_key),
        ).fetchone()
        if row is None:
            return None
        return KeyedAnswer(row[0], row[1], StoredAnswer(row[2], row[3], row[4], row[5], row[6]))

    def add(
        self,
        partner: str,
        idempotency_key: str,
        pepper_id: str,
        fingerprint: str,
        answer: StoredAnswer,
    ) -> None:
        """Raises ``sqlite3.IntegrityError`` if the key is taken."""
        self._conn.execute(
            "INSERT INTO api_answers (partner, idempotency_key, pepper_id, fingerprint, status,"
            " content_type, body, location, operation, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                partner,
                idempotency_key,
                pepper_id,
                fingerprint,
                answer.status,
                answer.content_type,
                answer.body,
                answer.location,
                answer.operation,
                self._time.ms,
            ),
        )
