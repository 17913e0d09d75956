"""Purchases waiting for a second person, and the decisions on them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.domain.approval import Approval, Decision
from storage.sql import Connection
from storage.stores.public_operations import OperationChanges
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime


class ApprovalStore:
    def __init__(self, conn: Connection, time: TransactionTime, changes: OperationChanges) -> None:
        self._conn = conn
        self._time = time
        self._changes = changes

    def ask(self, purchase: str, partner: str, person_id: int) -> Approval:
        self._conn.execute(
            "INSERT INTO approvals (purchase, partner, asked_by, asked_at) VALUES (?, ?, ?, ?)",
            (purchase, partner, person_id, self._time.ms),
        )
        return Approval(purchase, partner, person_id, self._time.now)

    def get(self, purchase: str) -> Approval | None:
        row = self._conn.execute(
            "SELECT purchase, partner, asked_by, asked_at, decision, decided_by FROM approvals"
            " WHERE purchase = ?",
            (purchase,),
        ).fetchone()
        return None if row is None else _approval(row)

    def decide(self, purchase: str, decision: Decision, person_id: int | None) -> None:
        """Decides only undecided purchases; the database refuses a ``person_id`` who asked for
        it."""
        self._changes.touch(purchase)
        self._conn.execute(
            "UPDATE approvals SET decision = ?, decided_by = ?, decided_at = ?"
            " WHERE purchase = ? AND decision IS NULL",
            (decision, person_id, self._time.ms, purchase),
        )

    def undecided(
        self, partner: str, but: int, since: datetime, after: str | None, limit: int
    ) -> list[Approval]:
        """Purchases asked for after ``since`` by anybody except ``but``, oldest first, starting
        behind the purchase ``after``."""
        rows = self._conn.execute(
            "SELECT purchase, partner, asked_by, asked_at, decision, decided_by FROM approvals"
            " WHERE partner = ? AND decision IS NULL AND asked_by <> ? AND asked_at > ?"
            " AND (CAST(? AS TEXT) IS NULL OR (asked_at, purchase) >"
            "  (SELECT asked_at, purchase FROM approvals WHERE purchase = ?))"
            " ORDER BY asked_at, purchase LIMIT ?",
            (partner, but, to_ms(since), after, after, limit),
        )
        return [_approval(row) for row in rows]

    def count_undecided(
        self, partner: str, but: int, since: datetime, up_to: str | None = None
    ) -> int:
        """The number of those that ``undecided`` lists, or of those up to that purchase."""
        row = self._conn.execute(
            "SELECT count(*) FROM approvals"
            " WHERE partner = ? AND decision IS NULL AND asked_by <> ? AND asked_at > ?"
            " AND (CAST(? AS TEXT) IS NULL OR (asked_at, purchase) <="
            "  (SELECT asked_at, purchase FROM approvals WHERE purchase = ?))",
            (partner, but, to_ms(since), up_to, up_to),
        ).fetchone()
        return int(row[0])

    def unused_of(self, person_id: int) -> list[str]:
        """Purchases this person approved for which no code has been drawn yet."""
        rows = self._conn.execute(
            "SELECT a.purchase FROM approvals AS a"
            " JOIN wallet_transactions AS w ON w.reference = a.purchase"
            " WHERE a.decided_by = ? AND a.decision = 'approved'"
            " AND w.state IN ('AWAITING_APPROVAL', 'OTP_SENT') ORDER BY a.purchase",
            (person_id,),
        )
        return [purchase for (purchase,) in rows]

    def oldest(self) -> datetime | None:
        """When the oldest undecided purchase was asked for."""
        row = self._conn.execute(
            "SELECT min(a.asked_at) FROM wallet_transactions AS w"
            " JOIN approvals AS a ON a.purchase = w.reference"
            " WHERE w.state = 'AWAITING_APPROVAL'"
        ).fetchone()
        asked_at: int | None = row[0]
        return from_ms(asked_at)

    def stale(self, before: datetime, limit: int) -> list[str]:
        """Purchases asked for at or before that moment and still waiting, for a decision or for the
        buyer."""
        rows = self._conn.execute(
            "SELECT a.purchase FROM wallet_transactions AS w"
            " JOIN approvals AS a ON a.purchase = w.reference"
            " WHERE w.state = 'AWAITING_APPROVAL' AND a.asked_at <= ?"
            " ORDER BY a.asked_at, a.purchase LIMIT ?",
            (to_ms(before), limit),
        )
        return [purchase for (purchase,) in rows]


def _approval(row: tuple[Any, ...]) -> Approval:
    purchase, partner, asked_by, asked_at, decision, decided_by = row
    return Approval(
        purchase,
        partner,
        asked_by,
        from_ms(asked_at),
        None if decision is None else Decision(decision),
        decided_by,
    )
