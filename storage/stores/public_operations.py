"""Operations as their partner's systems see them: read from ``public_operations``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.domain.money import Money
from services.domain.operation import OperationType
from services.domain.payout_batch import is_batch
from services.domain.public_batch import Followed, PublicBatch
from services.domain.public_operation import (
    PublicKind,
    PublicOperation,
    PublicPayee,
    Status,
    kind_of,
)
from storage.locks import LockKind, Locks
from storage.sql import Connection
from storage.stores.public_batches import PublicBatchStore
from storage.time.milliseconds import from_ms, to_ms

_GET = (
    "SELECT reference, partner, type, status, reason, final, version, amount_cents, currency,"
    " transfer_fee_cents, processing_fee_cents, wallet_change_cents, phone, receipt, description,"
    " created_at, changed_at, seq, recipient_name, remarks, client_reference"
    " FROM public_operations WHERE reference = ?"
)


class PublicOperationStore:
    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def get(self, reference: str) -> PublicOperation | None:
        row = self._conn.execute(_GET, (reference,)).fetchone()
        return None if row is None else _operation(row)

    def page(
        self,
        partner: str,
        limit: int,
        *,
        before: int | None = None,
        offset: int = 0,
        kind: PublicKind | None = None,
        status: Status | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Sequence[tuple[int, PublicOperation]]:
        rows = self._conn.execute(
            "SELECT reference, partner, type, status, reason, final, version, amount_cents,"
            " currency, transfer_fee_cents, processing_fee_cents, wallet_change_cents, phone,"
            " receipt, description, created_at, changed_at, seq, recipient_name, remarks,"
            " client_reference FROM public_operations"
            " WHERE partner = ? AND (CAST(? AS BIGINT) IS NULL OR seq < ?)"
            " AND (CAST(? AS TEXT) IS NULL OR type = ?)"
            " AND (CAST(? AS TEXT) IS NULL OR status = ?)"
            " AND (CAST(? AS BIGINT) IS NULL OR created_at >= ?)"
            " AND (CAST(? AS BIGINT) IS NULL OR created_at < ?)"
            " ORDER BY seq DESC LIMIT ? OFFSET ?",
            (
                partner,
                before,
                before,
                *_twice(None if kind is None else kind.type),
                *_twice(status),
                *_twice(to_ms(since)),
                *_twice(to_ms(until)),
                limit,
                offset,
            ),
        )
        return [(row[17], _operation(row)) for row in rows]

    def count(self, partner: str) -> int:
        row = self._conn.execute(
            "SELECT count(*) FROM wallet_transactions WHERE partner = ?"
            " AND (listed = 1 OR type = 'adjustment')",
            (partner,),
        ).fetchone()
        return int(row[0])

    def describe(self, reference: str, description: str) -> None:
        self._conn.execute(
            "UPDATE wallet_transactions SET description = ? WHERE reference = ?",
            (description, reference),
        )


class OperationChanges:
    """The operations and batches that a transaction has touched, as they were before."""

    def __init__(
        self, operations: PublicOperationStore, batches: PublicBatchStore, locks: Locks
    ) -> None:
        self._operations = operations
        self._batches = batches
        self._locks = locks
        self._before: dict[str, Followed | None] = {}

    def touch(self, reference: str) -> None:
        """Call before the operation, or money of it, is written."""
        if reference not in self._before:
            before = read_followed(self._operations, self._batches, reference)
            if before is not None:
                self._locks.need(LockKind.PARTNER, before.partner)
            self._before[reference] = before

    def added(self, reference: str) -> None:
        """Call when the operation has just been inserted."""
        self._before.setdefault(reference, None)

    def forget(self) -> None:
        self._before = {}

    def take(self) -> list[tuple[Followed | None, Followed]]:
        """What can be seen to have changed: before, and now."""
        before, self._before = self._before, {}
        compared = [
            (then, read_followed(self._operations, self._batches, reference))
            for reference, then in before.items()
        ]
        return [(then, now) for then, now in compared if now is not None and _differ(then, now)]


def read_followed(
    operations: PublicOperationStore, batches: PublicBatchStore, reference: str
) -> Followed | None:
    return batches.get(reference) if is_batch(reference) else operations.get(reference)


def _differ(then: Followed | None, now: Followed) -> bool:
    if isinstance(then, PublicOperation) and isinstance(now, PublicOperation):
        return replace(now, updated_at=then.updated_at) != then
    if isinstance(then, PublicBatch) and isinstance(now, PublicBatch):
        return not now.is_as(then)
    return True


def _twice(value: Any) -> tuple[Any, Any]:
    return value, value


def _operation(row: tuple[Any, ...]) -> PublicOperation:
    type_, currency = OperationType(row[2]), row[8]
    has_payer = type_ in (OperationType.TOPUP, OperationType.PAYMENT)
    return PublicOperation(
        reference=row[0],
        partner=row[1],
        kind=kind_of(type_),
        status=Status(row[3]),
        reason=row[4],
        final=row[5] == 1,
        version=row[6],
        amount=Money(row[7], currency),
        transfer_fee=None if row[9] is None else Money(row[9], currency),
        processing_fee=None if row[10] is None else Money(row[10], currency),
        wallet_change=Money(row[11], currency),
        phone=(row[12] or None) if has_payer else None,
        receipt=row[13],
        description=row[14],
        created_at=from_ms(row[15]),
        updated_at=from_ms(row[16]),
        payee=PublicPayee(row[12], *row[18:21]) if type_ is OperationType.PAYOUT else None,
    )
