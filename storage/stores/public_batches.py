"""Batches of payouts as their partner's systems see them: those that a second person was asked
about."""

from __future__ import annotations

from collections.abc import Mapping

from services.domain.money import Money
from services.domain.payout_batch import BatchState
from services.domain.public_batch import BatchStatus, PublicBatch, stop_reason
from services.domain.public_operation import Status
from storage.sql import Connection
from storage.time.milliseconds import from_ms

_GET = (
    "SELECT w.reference, w.partner, w.state, CASE WHEN w.state = 'AWAITING_APPROVAL'"
    " AND a.decision = 'approved' THEN 'awaiting_code' ELSE s.status END, w.reason, w.version,"
    " b.row_count, w.amount_cents, w.currency, b.fee_cents, b.digest, b.doubles,"
    " coalesce(w.public_created_at, w.created_at),"
    " coalesce(w.changed_at, w.settled_at, w.created_at)"
    " FROM wallet_transactions AS w JOIN payout_batches AS b ON b.reference = w.reference"
    " JOIN approvals AS a ON a.purchase = w.reference"
    " JOIN operation_states AS s ON s.kind = w.type AND s.state = w.state WHERE w.reference = ?"
)
_COUNT = (
    "SELECT s.status, count(*) FROM batch_payouts AS w"
    " JOIN operation_states AS s ON s.kind = 'disbursement' AND s.state = w.state"
    " WHERE w.batch = ? GROUP BY s.status ORDER BY s.status"
)


class PublicBatchStore:
    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def get(self, reference: str) -> PublicBatch | None:
        row = self._conn.execute(_GET, (reference,)).fetchone()
        if row is None:
            return None
        status, currency = BatchStatus(row[3]), row[8]
        return PublicBatch(
            reference=row[0],
            partner=row[1],
            status=status,
            reason=stop_reason(BatchState(row[2]), row[4]),
            version=row[5],
            rows=row[6],
            amount=Money(row[7], currency),
            fees=Money(row[9], currency),
            digest=row[10],
            doubles=row[11],
            created_at=from_ms(row[12]),
            updated_at=from_ms(row[13]),
            counts=self._counts(reference, status, row[6]),
        )

    def _counts(self, reference: str, status: BatchStatus, rows: int) -> Mapping[Status, int]:
        """Before the rows are payouts they stand as their batch does."""
        if status in (BatchStatus.AWAITING_APPROVAL, BatchStatus.AWAITING_CODE):
            return {Status(status.value): rows}
        counted = self._conn.execute(_COUNT, (reference,)).fetchall()
        found = {Status(name): count for name, count in counted}
        return found or {Status.CANCELLED: rows}
