"""Evidence from outside, each call to the bank, and the admins' review list."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.domain.evidence import EvidenceItem, ProviderCall, ReviewItem
from storage.sql import Connection
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime

EVIDENCE_TEXT_MAX = 200  # characters kept of any outside text


class EvidenceStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def add(self, operation: str, kind: str, source: str, text: str) -> None:
        self._conn.execute(
            "INSERT INTO evidence (operation, kind, source, said, at) VALUES (?, ?, ?, ?, ?)",
            (operation, kind, source, text[:EVIDENCE_TEXT_MAX], self._time.ms),
        )

    def operations_since(self, kind: str, moment: datetime) -> list[str]:
        rows = self._conn.execute(
            "SELECT DISTINCT operation FROM evidence WHERE kind = ? AND at >= ? LIMIT 2",
            (kind, to_ms(moment)),
        )
        return [operation for (operation,) in rows]

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
                text[:EVIDENCE_TEXT_MAX],
                milliseconds,
                self._time.ms,
            ),
        )

    def has_money_call(self, operation: str) -> bool:
        row = self._conn.execute(
            "SELECT 1 FROM provider_calls WHERE operation = ?"
            " AND call NOT IN ('token', 'query', 'status') AND outcome <> 'not_sent'",
            (operation,),
        ).fetchone()
        return row is not None

    def open_review(self, operation: str, why: str) -> None:
        self._conn.execute(
            "INSERT INTO review_items (operation, why, opened_at) VALUES (?, ?, ?)"
            " ON CONFLICT (operation, why) DO NOTHING",
            (operation, why, self._time.ms),
        )

    def reopen_review(self, operation: str, why: str) -> None:
        self._conn.execute(
            "UPDATE review_items SET closed_at = NULL WHERE operation = ? AND why = ?",
            (operation, why),
        )

    def last(self, operation: str, limit: int) -> list[EvidenceItem]:
        """The newest evidence about an operation, returned oldest first."""
        rows = self._conn.execute(
            "SELECT at, kind, source, said FROM evidence WHERE operation = ?"
            " ORDER BY id DESC LIMIT ?",
            (operation, limit),
        ).fetchall()
        return [
            EvidenceItem(from_ms(at), kind, source, said) for at, kind, source, said in rows[::-1]
        ]

    def calls(self, operation: str, limit: int) -> list[ProviderCall]:
        """The newest calls about an operation, returned oldest first."""
        rows = self._conn.execute(
            "SELECT at, call, outcome, milliseconds FROM provider_calls WHERE operation = ?"
            " ORDER BY id DESC LIMIT ?",
            (operation, limit),
        ).fetchall()
        return [
            ProviderCall(from_ms(at), _named(operation, call), outcome, ms)
            for at, call, outcome, ms in rows[::-1]
        ]

    def newest_calls(self, count: int) -> list[tuple[str, ProviderCall]]:
        """The newest calls with the operations that they are about, newest first."""
        rows = self._conn.execute(
            "SELECT operation, at, call, outcome, milliseconds FROM provider_calls"
            " ORDER BY id DESC LIMIT ?",
            (count,),
        )
        return [
            (operation, ProviderCall(from_ms(at), _named(operation, call), outcome, ms))
            for operation, at, call, outcome, ms in rows
        ]

    def call_counts_since(self, moment: datetime, newest: int) -> list[tuple[str, str, int]]:
        """(call, outcome, count) since then, among the ``newest`` calls overall."""
        rows = self._conn.execute(
            "SELECT call, outcome, count(*) FROM (SELECT CASE WHEN call = 'status'"
            "   AND operation LIKE 'PO-%' THEN 'payout_status' ELSE call END AS call, outcome, at"
            "  FROM provider_calls ORDER BY id DESC LIMIT ?) AS newest WHERE at >= ?"
            " GROUP BY call, outcome ORDER BY call, outcome",
            (newest, to_ms(moment)),
        )
        return [(call, outcome, count) for call, outcome, count in rows]

    def reviews(self, operation: str) -> list[ReviewItem]:
        """All review items of an operation, open and closed."""
        rows = self._conn.execute(
            "SELECT operation, why, opened_at, closed_at FROM review_items WHERE operation = ?"
            " ORDER BY opened_at, why",
            (operation,),
        )
        return [_review(row) for row in rows]

    def open_review_reasons(self, operation: str) -> list[str]:
        """Why an admin must review it, now."""
        rows = self._conn.execute(
            "SELECT why FROM review_items WHERE operation = ? AND closed_at IS NULL ORDER BY why",
            (operation,),
        )
        return [why for (why,) in rows]

    def asked_at(self, operation: str) -> datetime | None:
        """When the bank was last asked about it."""
        row = self._conn.execute(
            "SELECT max(at) FROM provider_calls WHERE operation = ?"
            " AND call IN ('query', 'status')",
            (operation,),
        ).fetchone()
        at: int | None = row[0]
        return from_ms(at)

    def open_reviews(self, after: tuple[datetime, str, str] | None, limit: int) -> list[ReviewItem]:
        """Open review items, oldest first, after (opened, operation, why)."""
        opened_at, operation, why = (None, "", "") if after is None else after
        ms = -1 if opened_at is None else to_ms(opened_at)
        rows = self._conn.execute(
            "SELECT operation, why, opened_at, closed_at FROM review_items"
            " WHERE closed_at IS NULL AND (opened_at, operation, why) > (?, ?, ?)"
            " ORDER BY opened_at, operation, why LIMIT ?",
            (ms, operation, why, limit),
        )
        return [_review(row) for row in rows]

    def count_open_reviews(self, limit: int, up_to: ReviewItem | None = None) -> int:
        """The number of open review items, or of those up to that one in ``open_reviews``, counted
        up to ``limit``."""
        if up_to is None:
            row = self._conn.execute(
                "SELECT count(*) FROM (SELECT 1 FROM review_items WHERE closed_at IS NULL"
                "  ORDER BY opened_at LIMIT ?) AS waiting",
                (limit,),
            ).fetchone()
        else:
            row = self._conn.execute(
                "SELECT count(*) FROM (SELECT 1 FROM review_items WHERE closed_at IS NULL"
                "  AND (opened_at, operation, why) <= (?, ?, ?)"
                "  ORDER BY opened_at LIMIT ?) AS waiting",
                (to_ms(up_to.opened_at), up_to.operation, up_to.why, limit),
            ).fetchone()
        return int(row[0])

    def count_open_reviews_since(self, moment: datetime, limit: int) -> int:
        """The number of review items opened since then and open still, counted up to ``limit``."""
        row = self._conn.execute(
            "SELECT count(*) FROM (SELECT 1 FROM review_items"
            "  WHERE closed_at IS NULL AND opened_at > ? LIMIT ?) AS fresh",
            (to_ms(moment), limit),
        ).fetchone()
        return int(row[0])

    def close_reviews(self, operation: str, why: str | None = None) -> None:
        self._conn.execute(
            "UPDATE review_items SET closed_at = ? WHERE operation = ? AND closed_at IS NULL"
            " AND why = coalesce(?, why)",
            (self._time.ms, operation, why),
        )


def _named(operation: str, call: str) -> str:
    """A call as it is told: about a payout M-PESA is asked, and not the bank about float. Both are
    stored as one, which the index over calls that may move money knows by name."""
    return f"payout_{call}" if call == "status" and operation.startswith("PO-") else call


def _review(row: tuple[Any, ...]) -> ReviewItem:
    operation, why, opened_at, closed_at = row
    return ReviewItem(operation, why, from_ms(opened_at), from_ms(closed_at))
