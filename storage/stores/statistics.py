"""Usage figures over all partners. Reads many rows: use a reader, never the writer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.domain.money import Money
from services.domain.statistics import BatchTally, OperationCounts
from storage.sql import Connection
from storage.time.milliseconds import to_ms


class StatisticsStore:
    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def first_operation_since(self, moment: datetime) -> int:
        """The number of the first operation begun at or after ``moment``. Numbers grow with time,
        so a binary search replaces an index. Where several processes begin operations, a few of
        that very moment may be counted on its other side."""
        since = to_ms(moment)
        row = self._conn.execute("SELECT max(seq) FROM wallet_transactions").fetchone()
        low, high = 0, (row[0] or 0) + 1  # low < first <= high
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
        """Counts operations of a kind from operation number ``first`` on."""
        # ``coalesce`` rules out partial indexes: where one might apply depending on a parameter,
        # SQLite prepares the statement again for every value.
        row = self._conn.execute(
            "SELECT count(*), count(*) FILTER (WHERE standing IN ('succeeded', 'ended')),"
            " count(*) FILTER (WHERE standing = 'succeeded'),"
            " coalesce(sum(amount_cents) FILTER (WHERE standing = 'succeeded'), 0),"
            " count(*) FILTER (WHERE state = 'RETURNED'),"
            " count(*) FILTER (WHERE standing = 'unknown')"
            " FROM wallet_transactions WHERE seq >= ? AND coalesce(type, '') = ? AND listed = 1",
            (first, kind),
        ).fetchone()
        begun, decided, finished, cents, returned, unknown = row
        median = self._conn.execute(
            "SELECT settled_at - created_at FROM wallet_transactions WHERE seq >= ?"
            " AND coalesce(type, '') = ? AND standing = 'succeeded'"
            " ORDER BY settled_at - created_at LIMIT 1 OFFSET ?",
            (first, kind, finished // 2),
        ).fetchone()
        seconds = None if median is None else median[0] / 1000
        total = Money(cents, currency)
        return OperationCounts(begun, decided, finished, total, seconds, returned, unknown)

    def batches(self, first: int) -> BatchTally:
        """From operation number ``first`` on."""
        row = self._conn.execute(
            "SELECT count(*), count(*) FILTER (WHERE state = 'DONE'),"
            " count(*) FILTER (WHERE state = 'STOPPED') FROM wallet_transactions"
            " WHERE seq >= ? AND type = 'payout_batch' AND standing <> 'quoted'"
            " AND EXISTS (SELECT 1 FROM approvals AS a"
            "  WHERE a.purchase = wallet_transactions.reference)",
            (first,),
        ).fetchone()
        return BatchTally(*row)

    def first_step_since(self, moment: datetime) -> int | None:
        """The number of the first trail row since then."""
        row = self._conn.execute(
            "SELECT id FROM trail WHERE at >= ? ORDER BY at, id LIMIT 1", (to_ms(moment),)
        ).fetchone()
        return None if row is None else int(row[0])

    def last_step_before(self, moment: datetime) -> int:
        """The number of the last trail row before then, 0 if there is none."""
        row = self._conn.execute(
            "SELECT id FROM trail WHERE at < ? ORDER BY at DESC, id DESC LIMIT 1",
            (to_ms(moment),),
        ).fetchone()
        return 0 if row is None else int(row[0])

    def reached(self, first: int, last: int | None = None) -> dict[str, int]:
        """How often people reached each screen from trail row ``first`` to ``last`` (default: the
        newest), by ``flow.node``."""
        rows = self._conn.execute(
            "SELECT after, count(*) FROM trail WHERE id >= ? AND id <= coalesce(?, id)"
            " AND (before IS NULL OR before <> after) AND after IS NOT NULL"
            " GROUP BY after ORDER BY after",
            (first, last),
        )
        return dict(rows.fetchall())

    def received_by_day(self, days: Sequence[tuple[datetime, datetime]]) -> list[int]:
        """Cents received from top-ups begun on each day."""
        sums = []
        for start, end in days:
            row = self._conn.execute(
                "SELECT coalesce(sum(amount_cents), 0) FROM wallet_transactions"
                " WHERE seq >= ? AND seq < ? AND type = 'topup' AND state IN ('PAID', 'PAID_LATE')",
                (self.first_operation_since(start), self.first_operation_since(end)),
            ).fetchone()
            sums.append(int(row[0]))
        return sums
