"""What the outside said, each call to it, and what a person must look at."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import NamedTuple

from storage.moment import Moment
from storage.times import from_ms

SAID_LIMIT = 200  # characters kept of anybody's words


class Said(NamedTuple):
    """Who said what of an operation, and when."""

    at: datetime
    kind: str
    source: str
    said: str


class EvidenceStore:
    def __init__(self, conn: sqlite3.Connection, moment: Moment) -> None:
        self._conn = conn
        self._moment = moment

    def add(self, operation: str, kind: str, source: str, text: str) -> None:
        self._conn.execute(
            "INSERT INTO evidence (operation, kind, source, said, at) VALUES (?, ?, ?, ?, ?)",
            (operation, kind, source, text[:SAID_LIMIT], self._moment.ms),
        )

    def call(
        self, operation: str, call: str, attempt: int, outcome: str, text: str, milliseconds: int
    ) -> None:
        self._conn.execute(
            "INSERT INTO provider_calls (operation, call, attempt, outcome, said, milliseconds, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                operation,
                call,
                attempt,
                outcome,
                text[:SAID_LIMIT],
                milliseconds,
                self._moment.ms,
            ),
        )

    def has_money_call(self, operation: str) -> bool:
        row = self._conn.execute(
            "SELECT 1 FROM provider_calls WHERE operation = ? AND call IN ('initiate', 'float')"
            " AND outcome <> 'not_sent'",
            (operation,),
        ).fetchone()
        return row is not None

    def review(self, operation: str, why: str) -> None:
        self._conn.execute(
            "INSERT INTO review_items (operation, why, opened_at) VALUES (?, ?, ?)"
            " ON CONFLICT (operation, why) DO NOTHING",
            (operation, why, self._moment.ms),
        )

    def last(self, operation: str, limit: int) -> list[Said]:
        """The newest pieces of evidence about an operation, oldest of them first."""
        rows = self._conn.execute(
            "SELECT at, kind, source, said FROM evidence WHERE operation = ?"
            " ORDER BY id DESC LIMIT ?",
            (operation, limit),
        ).fetchall()
        return [Said(from_ms(at), kind, source, said) for at, kind, source, said in rows[::-1]]

    def close_reviews(self, operation: str) -> None:
        self._conn.execute(
            "UPDATE review_items SET closed_at = ? WHERE operation = ? AND closed_at IS NULL",
            (self._moment.ms, operation),
        )
