"""How the desk does, over all partners. Reads many rows: for a reader, never for the writer."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import NamedTuple

from services.domain.money import Money
from storage.time.milliseconds import to_ms


class OperationCounts(NamedTuple):
    """Operations of one kind that were begun in a period. ``decided`` are those whose outcome is
    known, ``median_s`` is from begun to done."""

    begun: int
    decided: int
    done: int
    total: Money
    median_s: float | None


DONE = {"topup": ("PAID", "PAID_LATE"), "b2c_float_purchase": ("SUCCEEDED", "SUCCEEDED")}


class StatisticsStore:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def first_operation_since(self, moment: datetime) -> int:
        """The number of the first operation begun then or later: they are numbered in the order of
        their moments, so that no index on those is needed."""
        since = to_ms(moment)
        row = self._conn.execute("SELECT max(seq) FROM wallet_transactions").fetchone()
        low, high = 0, (row[0] or 0) + 1  # the first one is above low, and at most high
        while high - low > 1:
            middle = (low + high) // 2
            found = self._conn.execute(
                "SELECT seq, created_at FROM wallet_transactions WHERE seq >= ?"
                " ORDER BY seq LIMIT 1",
                (middle,),
            ).fetchone()
            if found is None or found[1] >= since:
                high = middle
            else:
                low = found[0] if found[0] < high else middle
        return high

    def count(self, kind: str, first: int, currency: str = "KES") -> OperationCounts:
        """``kind`` is topup or b2c_float_purchase; from operation number ``first`` on."""
        done = DONE[kind]
        # The plus signs keep partial indexes out. Where one might fit by the value of a parameter,
        # SQLite prepares the statement anew for every value.
        row = self._conn.execute(
            "SELECT count(*), count(*) FILTER (WHERE state NOT IN ('CREATED', 'SENDING',"
            "  'PENDING', 'SEND_UNKNOWN', 'UNKNOWN', 'AWAITING_APPROVAL', 'OTP_SENT',"
            "  'AUTHORISED', 'SUBMITTING')),"
            " count(*) FILTER (WHERE state IN (?, ?)),"
            " coalesce(sum(amount_cents) FILTER (WHERE state IN (?, ?)), 0)"
            " FROM wallet_transactions WHERE seq >= ? AND +type = ? AND listed = 1",
            (*done, *done, first, kind),
        ).fetchone()
        begun, decided, finished, cents = row
        median = self._conn.execute(
            "SELECT settled_at - created_at FROM wallet_transactions WHERE seq >= ? AND +type = ?"
            " AND +state IN (?, ?) ORDER BY settled_at - created_at LIMIT 1 OFFSET ?",
            (first, kind, *done, finished // 2),
        ).fetchone()
        seconds = None if median is None else median[0] / 1000
        return OperationCounts(begun, decided, finished, Money(cents, currency), seconds)

    def first_step_since(self, moment: datetime) -> int | None:
        """The number of the first row of the trail from then on; they are in the order of time."""
        row = self._conn.execute(
            "SELECT id FROM trail WHERE at >= ? ORDER BY at, id LIMIT 1", (to_ms(moment),)
        ).fetchone()
        return None if row is None else int(row[0])

    def reached(self, first: int) -> tuple[dict[str, int], int]:
        """How often people came to each screen from row ``first`` of the trail on, by
        ``flow.node``; and the number of the row to go on from next time."""
        last = self._conn.execute("SELECT max(id) FROM trail").fetchone()[0] or 0
        rows = self._conn.execute(
            "SELECT after, count(*) FROM trail WHERE id BETWEEN ? AND ?"
            " AND (before IS NULL OR before <> after) AND after IS NOT NULL GROUP BY after",
            (first, last),
        )
        return dict(rows.fetchall()), max(first, last + 1)

    def received_by_day(self, days: list[tuple[datetime, datetime]]) -> list[int]:
        """What top-ups begun on each day brought, in cents."""
        sums = []
        for start, end in days:
            row = self._conn.execute(
                "SELECT coalesce(sum(amount_cents), 0) FROM wallet_transactions"
                " WHERE seq >= ? AND seq < ? AND type = 'topup' AND state IN ('PAID', 'PAID_LATE')",
                (self.first_operation_since(start), self.first_operation_since(end)),
            ).fetchone()
            sums.append(int(row[0]))
        return sums
