"""Adjustments: rows of ``wallet_transactions``; the reason for each is in its proposal."""

from __future__ import annotations

from services.domain.adjustment import Adjustment
from services.domain.money import Money
from services.domain.proposal import Resolution
from storage.sql import Connection
from storage.stores.public_operations import OperationChanges
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime


class AdjustmentStore:
    def __init__(self, conn: Connection, time: TransactionTime, changes: OperationChanges) -> None:
        self._conn = conn
        self._time = time
        self._changes = changes

    def add(self, adjustment: Adjustment, proposal: str) -> None:
        """Raises ``sqlite3.IntegrityError`` when the proposal already has an adjustment."""
        booked_at = to_ms(adjustment.booked_at)
        self._conn.execute(
            "INSERT INTO wallet_transactions (reference, partner, channel, address, language,"
            " type, state, standing, amount_cents, currency, phone, idempotency_key, created_at,"
            " settled_at) VALUES (?, ?, ?, ?, 'en', 'adjustment', 'POSTED', 'succeeded', ?, ?, '',"
            " ?, ?, ?)",
            (
                adjustment.reference,
                adjustment.partner,
                adjustment.channel,
                adjustment.address,
                adjustment.amount.cents,
                adjustment.amount.currency,
                proposal,
                booked_at,
                booked_at,
            ),
        )
        self._changes.added(adjustment.reference)

    def add_opening(self, reference: str, partner: str, amount: Money) -> None:
        now = self._time.ms
        self._conn.execute(
            "INSERT INTO wallet_transactions (reference, partner, channel, address, language,"
            " type, state, standing, amount_cents, currency, phone, idempotency_key, created_at,"
            " settled_at, listed) VALUES (?, ?, '', '', 'en', 'adjustment', 'POSTED',"
            " 'succeeded', ?, ?, '', ?, ?, ?, 0) ON CONFLICT (idempotency_key) DO NOTHING",
            (reference, partner, amount.cents, amount.currency, f"opening:{partner}", now, now),
        )

    def get(self, reference: str) -> Adjustment | None:
        row = self._conn.execute(
            "SELECT w.reference, w.partner, p.outcome, w.amount_cents, w.currency, p.reason,"
            " w.channel, w.address, w.created_at FROM wallet_transactions AS w"
            " JOIN proposals AS p ON p.id = w.idempotency_key"
            " WHERE w.reference = ? AND w.type = 'adjustment'",
            (reference,),
        ).fetchone()
        if row is None:
            return None
        return Adjustment(
            reference=row[0],
            partner=row[1],
            resolution=Resolution(row[2]),
            amount=Money(row[3], row[4]),
            reason=row[5],
            channel=row[6],
            address=row[7],
            booked_at=from_ms(row[8]),
        )
