"""Payments on the short code's own statement."""

from __future__ import annotations

from datetime import date

from services.domain.money import Money
from services.domain.short_code_line import ShortCodeLine
from storage.sql import Connection
from storage.time.transaction_time import TransactionTime


class ShortCodeLineStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

    def add(self, line: ShortCodeLine, payout: str | None) -> None:
        self._conn.execute(
            "INSERT INTO short_code_lines (receipt, day, amount_cents, currency, party, payout,"
            " seen_at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (receipt) DO UPDATE SET"
            " payout = coalesce(short_code_lines.payout, excluded.payout)",
            (
                line.receipt,
                line.day.isoformat(),
                line.amount.cents,
                line.amount.currency,
                line.party,
                payout,
                self._time.ms,
            ),
        )

    def is_listed(self, payout: str) -> bool:
        row = self._conn.execute(
            "SELECT 1 FROM short_code_lines WHERE payout = ?", (payout,)
        ).fetchone()
        return row is not None

    def finding(self, receipt: str) -> str | None:
        row = self._conn.execute(
            "SELECT finding FROM short_code_lines WHERE receipt = ?", (receipt,)
        ).fetchone()
        return None if row is None else row[0]

    def name_finding(self, receipt: str, reference: str) -> bool:
        cursor = self._conn.execute(
            "UPDATE short_code_lines SET finding = ? WHERE receipt = ? AND NOT EXISTS"
            " (SELECT 1 FROM findings WHERE id = ?) AND NOT EXISTS"
            " (SELECT 1 FROM short_code_lines AS other WHERE other.finding = ?)",
            (reference, receipt, reference, reference),
        )
        return cursor.rowcount == 1

    def of_finding(self, reference: str) -> ShortCodeLine | None:
        row = self._conn.execute(
            "SELECT receipt, day, amount_cents, currency, party FROM short_code_lines"
            " WHERE finding = ?",
            (reference,),
        ).fetchone()
        if row is None:
            return None
        return ShortCodeLine(row[0], date.fromisoformat(row[1]), Money(row[2], row[3]), row[4])
