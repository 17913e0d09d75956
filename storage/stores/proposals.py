"""Admins' proposals and the decisions on them."""

from __future__ import annotations

from typing import Any

from services.domain.money import Money
from services.domain.proposal import Proposal, ProposalKind, ProposalStatus, Resolution
from storage.locks import LockKind, Locks
from storage.sql import Connection
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime

_GET = (
    "SELECT id, kind, partner, about, outcome, amount_cents, currency, reason,"
    " proposed_by, proposed_at, topup, status, decided_by, decided_at FROM proposals WHERE id = ?"
)


class ProposalStore:
    def __init__(self, conn: Connection, time: TransactionTime, locks: Locks) -> None:
        self._conn = conn
        self._time = time
        self._locks = locks

    def add(self, proposal: Proposal) -> bool:
        """False when its id, or an adjustment's reference, is taken: draw another."""
        return (
            self._conn.execute(
                "INSERT INTO proposals (id, kind, partner, about, outcome, amount_cents, currency,"
                " reason, proposed_by, proposed_at, topup, status)"
                " SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE ? <> 'adjust' OR NOT EXISTS ("
                " SELECT 1 FROM proposals WHERE kind = 'adjust' AND about = ?)"
                " ON CONFLICT (id) DO NOTHING",
                (
                    proposal.id,
                    proposal.kind,
                    proposal.partner,
                    proposal.about,
                    proposal.resolution,
                    proposal.amount.cents,
                    proposal.amount.currency,
                    proposal.reason,
                    proposal.proposed_by,
                    to_ms(proposal.proposed_at),
                    proposal.topup,
                    proposal.status,
                    proposal.kind,
                    proposal.about,
                ),
            ).rowcount
            == 1
        )

    def get(self, proposal_id: str) -> Proposal | None:
        """Also keeps writers in other processes off its partner."""
        row = self._conn.execute(_GET, (proposal_id,)).fetchone()
        if row is not None and self._locks.take(LockKind.PARTNER, row[2]):
            row = self._conn.execute(_GET, (proposal_id,)).fetchone()
        return None if row is None else _proposal(row)

    def open_about(self, about: str) -> Proposal | None:
        row = self._conn.execute(
            "SELECT id, kind, partner, about, outcome, amount_cents, currency, reason,"
            " proposed_by, proposed_at, topup, status, decided_by, decided_at FROM proposals"
            " WHERE about = ? AND status = 'open'",
            (about,),
        ).fetchone()
        return None if row is None else _proposal(row)

    def open_page(self, before: str | None, limit: int) -> list[Proposal]:
        """Open proposals, newest first, after the proposal ``before``."""
        rows = self._conn.execute(
            "SELECT id, kind, partner, about, outcome, amount_cents, currency, reason,"
            " proposed_by, proposed_at, topup, status, decided_by, decided_at FROM proposals"
            " WHERE status = 'open' AND (CAST(? AS TEXT) IS NULL OR (proposed_at, id) <"
            " (SELECT proposed_at, id FROM proposals WHERE id = ?))"
            " ORDER BY proposed_at DESC, id DESC LIMIT ?",
            (before, before, limit),
        )
        return [_proposal(row) for row in rows]

    def count_open(self, limit: int, down_to: str | None = None) -> int:
        """The number of open proposals, or of those down to that one in ``open_page``, counted up
        to ``limit``."""
        row = self._conn.execute(
            "SELECT count(*) FROM (SELECT 1 FROM proposals WHERE status = 'open'"
            " AND (CAST(? AS TEXT) IS NULL OR (proposed_at, id) >="
            " (SELECT proposed_at, id FROM proposals WHERE id = ?)) LIMIT ?) AS waiting",
            (down_to, down_to, limit),
        ).fetchone()
        return int(row[0])

    def decide(self, proposal_id: str, status: ProposalStatus, by: str | None) -> bool:
        """Close it once; False when it was closed already."""
        return (
            self._conn.execute(
                "UPDATE proposals SET status = ?, decided_by = ?, decided_at = ?"
                " WHERE id = ? AND status = 'open'",
                (status, by, self._time.ms, proposal_id),
            ).rowcount
            == 1
        )

    def supersede(self, about: str) -> None:
        """Resolved by evidence: void open proposals about this operation."""
        self._conn.execute(
            "UPDATE proposals SET status = 'overtaken', decided_at = ?"
            " WHERE about = ? AND status = 'open' AND kind <> 'adjust'",
            (self._time.ms, about),
        )

    def unresolved(self, limit: int) -> list[str]:
        """Operations awaiting evidence without an open proposal; oldest first."""
        rows = self._conn.execute(
            "SELECT r.operation FROM review_items AS r"
            " JOIN wallet_transactions AS w ON w.reference = r.operation"
            " WHERE r.closed_at IS NULL AND w.state IN ('UNKNOWN', 'SEND_UNKNOWN')"
            " AND NOT EXISTS (SELECT 1 FROM proposals AS p WHERE p.about = r.operation"
            "  AND p.status = 'open')"
            " GROUP BY r.operation ORDER BY min(r.opened_at), r.operation LIMIT ?",
            (limit,),
        )
        return [reference for (reference,) in rows]


def _proposal(row: tuple[Any, ...]) -> Proposal:
    return Proposal(
        id=row[0],
        kind=ProposalKind(row[1]),
        partner=row[2],
        about=row[3],
        resolution=Resolution(row[4]),
        amount=Money(row[5], row[6]),
        reason=row[7],
        proposed_by=row[8],
        proposed_at=from_ms(row[9]),
        topup=row[10],
        status=ProposalStatus(row[11]),
        decided_by=row[12],
        decided_at=from_ms(row[13]),
    )
