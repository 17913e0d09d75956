"""Movements of a wallet in a period, read page by page from its transfers."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from services.domain.money import Money
from services.domain.statement import Movement
from storage.time.milliseconds import from_ms, to_ms


class StatementStore:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def wallet_at(self, partner: str, moment: datetime, currency: str = "KES") -> Money:
        """The posted balance just before ``moment``."""
        until = to_ms(moment)
        credits = self._conn.execute(
            "SELECT coalesce(sum(amount_cents), 0) FROM transfers WHERE credit_partner = ?"
            " AND credit_kind = 'wallet' AND booked_at < ? AND phase IN ('single', 'post')",
            (partner, until),
        ).fetchone()[0]
        debits = self._conn.execute(
            "SELECT coalesce(sum(amount_cents), 0) FROM transfers WHERE debit_partner = ?"
            " AND debit_kind = 'wallet' AND booked_at < ? AND phase IN ('single', 'post')",
            (partner, until),
        ).fetchone()[0]
        return Money(credits - debits, currency)

    def movements(self, partner: str, start: datetime, end: datetime, limit: int) -> list[Movement]:
        """Oldest first, from ``start`` up to before ``end``."""
        wallet = partner, to_ms(start), to_ms(end)
        rows = self._conn.execute(
            "SELECT operation, booked_at, sum(paid_in), sum(paid_out), currency"
            " FROM (SELECT seq, operation, booked_at, currency, amount_cents AS paid_in,"
            "  0 AS paid_out FROM transfers WHERE credit_partner = ?"
            "  AND credit_kind = 'wallet' AND booked_at >= ? AND booked_at < ?"
            "  AND phase IN ('single', 'post')"
            "  UNION ALL SELECT seq, operation, booked_at, currency, 0, amount_cents"
            "  FROM transfers WHERE debit_partner = ? AND debit_kind = 'wallet'"
            "  AND booked_at >= ? AND booked_at < ? AND phase IN ('single', 'post'))"
            " AS movements GROUP BY operation, booked_at, currency ORDER BY min(seq) LIMIT ?",
            (*wallet, *wallet, limit),
        )
        return [
            Movement(operation, from_ms(at), Money(paid_in, currency), Money(paid_out, currency))
            for operation, at, paid_in, paid_out, currency in rows
        ]
