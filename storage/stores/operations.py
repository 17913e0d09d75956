"""Operations of every kind, read in pages from ``wallet_transactions``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.domain.money import Money
from services.domain.operation import (
    FoundOperation,
    Operation,
    OperationType,
    StateBacklog,
)
from storage.sql import Connection
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime


class OperationStore:
    def __init__(self, conn: Connection, time: TransactionTime) -> None:
        self._conn = conn
        self._time = time

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

    def partner_of(self, reference: str) -> str | None:
        row = self._conn.execute(
            "SELECT partner FROM wallet_transactions WHERE reference = ?", (reference,)
        ).fetchone()
        return None if row is None else row[0]

    def of_reference(self, reference: str) -> FoundOperation | None:
        row = self._conn.execute(
            "SELECT reference, type, amount_cents, currency, state, created_at, partner"
            " FROM wallet_transactions WHERE reference = ?",
            (reference,),
        ).fetchone()
        return None if row is None else _found(row)

    def of_bank_id(self, bank_id: str, limit: int) -> list[FoundOperation]:
        """Operations by the bank's id: a prompt, a float purchase, or M-PESA's of a payout."""
        rows = self._conn.execute(
            "SELECT reference, type, amount_cents, currency, state, created_at, partner"
            " FROM wallet_transactions WHERE reference IN"
            " (SELECT reference FROM ncb_stk_push_logs WHERE bank_id = ?"
            "  UNION SELECT reference FROM float_purchases WHERE bank_id = ?"
            "  UNION SELECT reference FROM payouts WHERE conversation_id = ?)"
            " ORDER BY seq DESC LIMIT ?",
            (bank_id, bank_id, bank_id, limit),
        )
        return [_found(row) for row in rows]

    def of_receipt(self, receipt: str, limit: int) -> list[FoundOperation]:
        rows = self._conn.execute(
            "SELECT reference, type, amount_cents, currency, state, created_at, partner"
            " FROM wallet_transactions WHERE receipt = ? ORDER BY seq DESC LIMIT ?",
            (receipt, limit),
        )
        return [_found(row) for row in rows]

    def of_phone(self, last_four: str, msisdn: str | None, limit: int) -> list[FoundOperation]:
        """The newest operations of every number with these last digits, or of the number
        ``msisdn``."""
        rows = self._conn.execute(
            "SELECT reference, type, amount_cents, currency, state, created_at, partner"
            " FROM wallet_transactions WHERE substr(phone, 9) = ? AND listed = 1"
            " AND phone = coalesce(?, phone) ORDER BY seq DESC LIMIT ?",
            (last_four, msisdn, limit),
        )
        return [_found(row) for row in rows]

    def pending(self, after: str | None, limit: int) -> list[FoundOperation]:
        """Open or unknown operations that are not on the admins' list, over all partners, with a
        running batch for its rows; oldest first, starting behind the operation ``after``."""
        rows = self._conn.execute(
            "SELECT reference, type, amount_cents, currency, state, created_at, partner"
            " FROM operations_under_way WHERE seq > coalesce("
            "  (SELECT w.seq FROM wallet_transactions AS w WHERE w.reference = ?), 0)"
            " AND NOT EXISTS (SELECT 1 FROM review_items AS r"
            "  WHERE r.operation = operations_under_way.reference AND r.closed_at IS NULL)"
            " ORDER BY seq LIMIT ?",
            (after, limit),
        )
        return [_found(row) for row in rows]

    def count_pending(self, limit: int, up_to: str | None = None) -> int:
        """The number of those that ``pending`` lists, or of those up to that one, counted up to
        ``limit``."""
        row = self._conn.execute(
            "SELECT count(*) FROM (SELECT 1 FROM operations_under_way WHERE NOT EXISTS ("
            "  SELECT 1 FROM review_items AS r"
            "  WHERE r.operation = operations_under_way.reference AND r.closed_at IS NULL)"
            " AND (CAST(? AS TEXT) IS NULL OR seq <="
            " (SELECT w.seq FROM wallet_transactions AS w WHERE w.reference = ?))"
            " LIMIT ?) AS waiting",
            (up_to, up_to, limit),
        ).fetchone()
        return int(row[0])

    def pending_by_state(self, limit: int) -> list[tuple[str, int]]:
        """How many are open or unknown in each state, among the oldest ``limit``."""
        rows = self._conn.execute(
            "SELECT state, count(*) FROM"
            " (SELECT state FROM pending_operations ORDER BY seq LIMIT ?) AS pending"
            " GROUP BY state ORDER BY state",
            (limit,),
        )
        return [(state, count) for state, count in rows]

    def waiting(self, limit: int) -> list[StateBacklog]:
        """Open or unknown operations by kind and state, among the oldest ``limit``, with their
        age."""
        rows = self._conn.execute(
            "SELECT type, state, count(*), min(created_at) FROM (SELECT type, state, created_at"
            "  FROM pending_operations ORDER BY seq LIMIT ?) AS pending"
            " GROUP BY type, state ORDER BY type, state",
            (limit,),
        )
        now = self._time.ms
        return [
            StateBacklog(OperationType(kind), state, count, (now - since) / 1000)
            for kind, state, count, since in rows
        ]

    def newest_state(self, kind: str) -> str | None:
        """Over all partners; may read the whole table: for tests and the simulator."""
        row = self._conn.execute(
            "SELECT state FROM wallet_transactions WHERE type = ? ORDER BY seq DESC LIMIT 1",
            (kind,),
        ).fetchone()
        return None if row is None else row[0]

    def open_since(self, partner: str, since: datetime) -> int:
        """How many operations begun since then are open or unknown."""
        row = self._conn.execute(
            "SELECT count(*) FROM wallet_transactions WHERE partner = ? AND created_at >= ?"
            " AND standing IN ('ready', 'sending', 'accepted', 'unknown')",
            (partner, to_ms(since)),
        ).fetchone()
        return int(row[0])

    def under_way(self, partner: str, person_id: int, channel: str, address: str) -> str | None:
        who = person_id, channel, address
        row = self._conn.execute(
            "SELECT reference, seq FROM wallet_transactions WHERE channel = ? AND address = ?"
            " AND state = 'AWAITING_APPROVAL' AND person_id = ?"
            " UNION ALL SELECT reference, seq FROM wallet_transactions WHERE partner = ?"
            " AND state IN ('CREATED', 'SENDING', 'PENDING', 'SEND_UNKNOWN')"
            " AND state <> 'SEND_UNKNOWN' AND way = 'prompt' AND person_id = ? AND channel = ?"
            " AND address = ?"
            " UNION ALL SELECT reference, seq FROM wallet_transactions"
            " WHERE type IN ('b2c_float_purchase', 'disbursement')"
            " AND state IN ('AUTHORISED', 'SUBMITTING', 'ACCEPTED')"
            " AND person_id = ? AND channel = ? AND address = ?"
            " ORDER BY seq DESC LIMIT 1",
            (channel, address, person_id, partner, *who, *who),
        ).fetchone()
        return None if row is None else str(row[0])


def _found(row: tuple[Any, ...]) -> FoundOperation:
    return FoundOperation(_operation(row), row[6])


def _operation(row: tuple[Any, ...]) -> Operation:
    return Operation(
        reference=row[0],
        type=OperationType(row[1]),
        amount=Money(row[2], row[3]),
        state=row[4],
        begun_at=from_ms(row[5]),
    )
