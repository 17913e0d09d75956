"""What has happened to a partner, whatever its kind: pages of ``wallet_transactions``."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any, NamedTuple

from services.domain.money import Money
from services.domain.operation import Operation, OperationType
from storage.times import from_ms, to_ms


class OperationStore:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def page(
        self, partner: str, size: int, *, before: str | None = None, after: str | None = None
    ) -> list[Operation]:
        if after is not None:
            rows = self._conn.execute(
                "SELECT reference, type, amount_cents, currency, state, created_at"
                " FROM wallet_transactions WHERE partner = ? AND listed = 1 AND seq >"
                " (SELECT seq FROM wallet_transactions WHERE reference = ?)"
                " ORDER BY seq LIMIT ?",
                (partner, after, size),
            ).fetchall()[::-1]
        elif before is not None:
            rows = self._conn.execute(
                "SELECT reference, type, amount_cents, currency, state, created_at"
                " FROM wallet_transactions WHERE partner = ? AND listed = 1 AND seq <"
                " (SELECT seq FROM wallet_transactions WHERE reference = ?)"
                " ORDER BY seq DESC LIMIT ?",
                (partner, before, size),
            ).fetchall()
        else:
            rows = self._conn.execute(
                "SELECT reference, type, amount_cents, currency, state, created_at"
                " FROM wallet_transactions WHERE partner = ? AND listed = 1"
                " ORDER BY seq DESC LIMIT ?",
                (partner, size),
            ).fetchall()
        return [_operation(row) for row in rows]

    def day_totals(self, partner: str, since: datetime) -> DayTotals:
        row = self._conn.execute(
            "SELECT count(*) FILTER (WHERE state IN ('PAID', 'PAID_LATE')),"
            " coalesce(sum(amount_cents) FILTER (WHERE state IN ('PAID', 'PAID_LATE')), 0),"
            " count(*) FILTER (WHERE state = 'SUCCEEDED'),"
            " coalesce(sum(amount_cents) FILTER (WHERE state = 'SUCCEEDED'), 0),"
            " count(*) FILTER (WHERE state IN ('CREATED', 'SENDING', 'PENDING', 'SEND_UNKNOWN',"
            "  'UNKNOWN', 'AUTHORISED', 'SUBMITTING'))"
            " FROM wallet_transactions WHERE partner = ? AND created_at >= ?",
            (partner, to_ms(since)),
        ).fetchone()
        return DayTotals(row[0], Money(row[1]), row[2], Money(row[3]), row[4])


class DayTotals(NamedTuple):
    """What a partner began since a moment: paid top-ups, bought float, and what is still open."""

    topups: int
    received: Money
    purchases: int
    bought: Money
    open: int


def _operation(row: tuple[Any, ...]) -> Operation:
    return Operation(
        reference=row[0],
        type=OperationType(row[1]),
        amount=Money(row[2], row[3]),
        state=row[4],
        begun_at=from_ms(row[5]),
    )
