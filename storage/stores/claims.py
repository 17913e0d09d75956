"""Claims on operations of every kind: a fencing number, an owner and the end of the lease.

The kind is compared as ``CAST(? AS TEXT)``: a bare parameter could decide which partial indexes
apply, and SQLite would prepare the statement again for every value.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from services.domain.lease import Lease
from storage.sql import Connection
from storage.time.milliseconds import from_ms, to_ms
from storage.time.transaction_time import TransactionTime

# Where others write too, rows that they hold are left out.
TO_SEND = (
    "SELECT reference, attempt FROM wallet_transactions WHERE type = CAST(? AS TEXT)"
    " AND due_at <= ? AND standing IN ('ready', 'sending') ORDER BY due_at, seq LIMIT ?"
)
TO_QUERY = (
    "SELECT reference, attempt FROM wallet_transactions WHERE type = CAST(? AS TEXT)"
    " AND due_at <= ? AND standing IN ('accepted', 'unknown', 'ended')"
    " ORDER BY due_at, seq LIMIT ?"
)


class ClaimStore:
    """``claimed`` is called after a claim: rows that were read before it are out of date."""

    def __init__(
        self, conn: Connection, time: TransactionTime, claimed: Callable[[], None]
    ) -> None:
        self._conn = conn
        self._time = time
        self._claimed = claimed

    def take(self, kind: str, lease: Lease, sends: int, queries: int) -> list[str]:
        due = self._conn.execute(TO_SEND, (kind, self._time.ms, sends)).fetchall()
        due += self._conn.execute(TO_QUERY, (kind, self._time.ms, queries)).fetchall()
        ends_at = to_ms(self._time.now + lease.lasts)
        taken = [
            reference
            for reference, attempt in due
            if self._take(reference, attempt, ends_at, lease.owner)
        ]
        self._claimed()
        return taken

    def _take(self, reference: str, attempt: int, ends_at: int, owner: str) -> bool:
        """False when another writer was faster, or settled it."""
        cursor = self._conn.execute(
            "UPDATE wallet_transactions SET attempt = attempt + 1, due_at = ?, leased_by = ?"
            " WHERE reference = ? AND attempt = ? AND due_at <= ?",
            (ends_at, owner, reference, attempt, self._time.ms),
        )
        return cursor.rowcount == 1

    def still_ready(self, reference: str, attempt: int) -> bool:
        # A write, so that another writer waits for the end of this transaction.
        cursor = self._conn.execute(
            "UPDATE wallet_transactions SET attempt = attempt"
            " WHERE reference = ? AND attempt = ? AND standing = 'ready'",
            (reference, attempt),
        )
        return cursor.rowcount == 1

    def upcoming(self, limit: int) -> list[tuple[str, str, datetime]]:
        """(reference, state, due) of the operations that are due next, of any kind."""
        rows = self._conn.execute(
            "SELECT reference, state, due_at FROM wallet_transactions WHERE due_at IS NOT NULL"
            " ORDER BY due_at, seq LIMIT ?",
            (limit,),
        )
        return [(reference, state, from_ms(due)) for reference, state, due in rows]

    def next_due(self, kind: str) -> datetime | None:
        row = self._conn.execute(
            "SELECT min(due_at) FROM wallet_transactions WHERE type = CAST(? AS TEXT)"
            " AND due_at IS NOT NULL",
            (kind,),
        ).fetchone()
        due: int | None = row[0]
        return from_ms(due)

    def end_leases_of_others(self, kind: str, owner: str) -> int:
        return self._conn.execute(
            "UPDATE wallet_transactions SET due_at = ? WHERE type = CAST(? AS TEXT) AND due_at > ?"
            " AND leased_by <> ?",
            (self._time.ms, kind, self._time.ms, owner),
        ).rowcount

    def end_leases_of(self, kind: str, owners: Collection[str]) -> int:
        return sum(self._end_leases_of(kind, owner) for owner in owners)

    def _end_leases_of(self, kind: str, owner: str) -> int:
        return self._conn.execute(
            "UPDATE wallet_transactions SET due_at = ? WHERE type = CAST(? AS TEXT) AND due_at > ?"
            " AND leased_by = ?",
            (self._time.ms, kind, self._time.ms, owner),
        ).rowcount
