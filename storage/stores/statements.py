"""What moved on an account in a period, summed from its transfers."""

from __future__ import annotations

from datetime import datetime

from services.domain.ledger import AccountKind, TransferCode
from services.domain.money import Money
from services.domain.statement import CodeTotal, Movement
from storage.sql import Connection
from storage.time.milliseconds import from_ms, to_ms


class StatementStore:
    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def balance_at(
        self, partner: str, account: AccountKind, moment: datetime, currency: str = "KES"
    ) -> Money:
        """The posted balance just before ``moment``."""
        until = to_ms(moment)
        credits = self._conn.execute(
            "SELECT coalesce(sum(amount_cents), 0) FROM transfers WHERE credit_partner = ?"
            " AND credit_kind = ? AND booked_at < ? AND phase IN ('single', 'post')",
            (partner, account, until),
        ).fetchone()[0]
        debits = self._conn.execute(
            "SELECT coalesce(sum(amount_cents), 0) FROM transfers WHERE debit_partner = ?"
            " AND debit_kind = ? AND booked_at < ? AND phase IN ('single', 'post')",
            (partner, account, until),
        ).fetchone()[0]
        return Money(credits - debits, currency)

    def movements(
        self, partner: str, account: AccountKind, start: datetime, end: datetime, limit: int
    ) -> list[Movement]:
        """Oldest first, from ``start`` up to before ``end``; the rows of a batch are one movement,
        of the batch, where the last of them stands. Fees are what went to an account of fees,
        whichever kind of operation charged it."""
        within = partner, account, to_ms(start), to_ms(end)
        rows = self._conn.execute(
            "SELECT coalesce(w.address, m.operation), max(m.booked_at), sum(m.paid_in),"
            " sum(m.paid_out), sum(m.fee), m.currency"
            " FROM (SELECT seq, operation, booked_at, currency, amount_cents AS paid_in,"
            "  0 AS paid_out, 0 AS fee FROM transfers WHERE credit_partner = ?"
            "  AND credit_kind = ? AND booked_at >= ? AND booked_at < ?"
            "  AND phase IN ('single', 'post')"
            "  UNION ALL SELECT seq, operation, booked_at, currency, 0, amount_cents,"
            "  CASE WHEN credit_kind LIKE '%_fee' THEN amount_cents ELSE 0 END"
            "  FROM transfers WHERE debit_partner = ? AND debit_kind = ?"
            "  AND booked_at >= ? AND booked_at < ? AND phase IN ('single', 'post'))"
            " AS m LEFT JOIN wallet_transactions AS w ON w.reference = m.operation"
            "  AND w.channel = 'batch'"
            " GROUP BY coalesce(w.address, m.operation),"
            "  CASE WHEN w.address IS NULL THEN m.booked_at END, m.currency"
            " ORDER BY max(m.seq) LIMIT ?",
            (*within, *within, limit),
        )
        return [
            Movement(
                operation,
                from_ms(at),
                Money(paid_in, currency),
                Money(paid_out, currency),
                Money(fee, currency),
            )
            for operation, at, paid_in, paid_out, fee, currency in rows
        ]

    def totals(
        self, partner: str, account: AccountKind, start: datetime, end: datetime
    ) -> list[CodeTotal]:
        """What moved the account from ``start`` up to before ``end``, by why it moved."""
        within = partner, account, to_ms(start), to_ms(end)
        rows = self._conn.execute(
            "SELECT code, count(DISTINCT operation), sum(paid_in), sum(paid_out), currency"
            " FROM (SELECT code, operation, currency, amount_cents AS paid_in, 0 AS paid_out"
            "  FROM transfers WHERE credit_partner = ? AND credit_kind = ?"
            "  AND booked_at >= ? AND booked_at < ? AND phase IN ('single', 'post')"
            "  UNION ALL SELECT code, operation, currency, 0, amount_cents"
            "  FROM transfers WHERE debit_partner = ? AND debit_kind = ?"
            "  AND booked_at >= ? AND booked_at < ? AND phase IN ('single', 'post'))"
            " AS moved GROUP BY code, currency ORDER BY code",
            (*within, *within),
        )
        return [
            CodeTotal(TransferCode(code), many, Money(paid_in, currency), Money(paid_out, currency))
            for code, many, paid_in, paid_out, currency in rows
        ]
