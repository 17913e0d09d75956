"""A batch of payouts as its partner's own systems see it (docs/api.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

from services.domain.instant import to_rfc3339
from services.domain.money import Money
from services.domain.payout_batch import STOPPED, BatchState
from services.domain.public_operation import PublicOperation, Status

KIND = "payout_batch"


class BatchStatus(StrEnum):
    """How a batch stands. Which state has which is in ``operation_states``."""

    AWAITING_APPROVAL = "awaiting_approval"
    AWAITING_CODE = "awaiting_code"
    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"


class StopReason(StrEnum):
    """Why a batch was stopped, or never ran."""

    STOPPED = "stopped"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    LOCKED = "locked"
    INSUFFICIENT_FUNDS = "insufficient_funds"


# How a row may stand: as its payout; before there is one as its batch.
ROW_STATUSES = (
    Status.AWAITING_APPROVAL,
    Status.AWAITING_CODE,
    Status.PENDING,
    Status.PAID,
    Status.RETURNED,
    Status.PAID_AFTER_RETURN,
    Status.UNKNOWN,
    Status.CANCELLED,
)
_OF_STATES = {
    BatchState.STOPPED: StopReason.STOPPED,
    BatchState.OTP_EXPIRED: StopReason.EXPIRED,
    BatchState.OTP_LOCKED: StopReason.LOCKED,
    BatchState.CANCELLED: StopReason.CANCELLED,
    BatchState.REFUSED: StopReason.CANCELLED,  # by a limit or a freeze that came meanwhile
}
_OF_REASONS = {
    STOPPED: StopReason.STOPPED,
    "second_declined": StopReason.DECLINED,
    "second_left": StopReason.DECLINED,
    "second_silent": StopReason.EXPIRED,
    "second_unused": StopReason.EXPIRED,
    "float_short": StopReason.INSUFFICIENT_FUNDS,
}


def stop_reason(state: BatchState, reason: str | None) -> StopReason | None:
    """``None`` for one that has not been stopped."""
    if state not in _OF_STATES:
        return None
    return _OF_REASONS.get(reason or "", _OF_STATES[state])


@dataclass(frozen=True, slots=True)
class PublicBatch:
    """``version`` grows by one with every change of the status; ``counts`` are of the rows at this
    moment."""

    reference: str
    partner: str
    status: BatchStatus
    reason: StopReason | None
    version: int
    rows: int
    amount: Money
    fees: Money
    digest: str
    doubles: int
    created_at: datetime
    updated_at: datetime
    counts: Mapping[Status, int]

    @property
    def final(self) -> bool:
        """The batch changes no more; rows of a stopped one that M-PESA has may."""
        return self.status in (BatchStatus.STOPPED, BatchStatus.DONE)

    @property
    def event_type(self) -> str:
        return f"{KIND}.{self.status}"

    @property
    def has_events(self) -> bool:
        return True

    def is_as(self, other: PublicBatch) -> bool:
        """Whether nothing has changed that has an event: each row has events of its own."""
        return (self.status, self.reason) == (other.status, other.reason)

    def document(self) -> dict[str, Any]:
        return {
            "reference": self.reference,
            "kind": KIND,
            "status": self.status.value,
            "reason": None if self.reason is None else self.reason.value,
            "final": self.final,
            "version": self.version,
            "rows": self.rows,
            "amount": self.amount.decimal,
            "currency": self.amount.currency,
            "fees": self.fees.decimal,
            "total": (self.amount + self.fees).decimal,
            "digest": self.digest,
            "doubles": self.doubles,
            "counts": {status.value: self.counts.get(status, 0) for status in ROW_STATUSES},
            "created_at": to_rfc3339(self.created_at),
            "updated_at": to_rfc3339(self.updated_at),
        }

    def event_document(self) -> dict[str, Any]:
        return self.document()


Followed: TypeAlias = PublicOperation | PublicBatch  # what systems follow until it is final
