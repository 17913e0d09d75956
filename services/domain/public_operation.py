"""An operation as its partner's own systems see it (docs/api.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.domain.instant import to_rfc3339
from services.domain.money import Money
from services.domain.operation import OperationType


class PublicKind(StrEnum):
    """What partners' systems call the kinds of operations."""

    TOPUP = "topup"
    FLOAT = "float"
    PAYOUT = "payout"
    PAYMENT = "payment"
    ADJUSTMENT = "adjustment"
    REVERSAL = "reversal"

    @property
    def has_events(self) -> bool:
        """The others stand in the history only: nothing becomes of them."""
        return self in (PublicKind.TOPUP, PublicKind.FLOAT, PublicKind.PAYOUT)

    @property
    def type(self) -> OperationType:
        return _TYPES[self]


_TYPES = {
    PublicKind.TOPUP: OperationType.TOPUP,
    PublicKind.FLOAT: OperationType.FLOAT,
    PublicKind.PAYOUT: OperationType.PAYOUT,
    PublicKind.PAYMENT: OperationType.PAYMENT,
    PublicKind.ADJUSTMENT: OperationType.ADJUSTMENT,
    PublicKind.REVERSAL: OperationType.REVERSAL,
}
_KINDS = {type_: kind for kind, type_ in _TYPES.items()}


class Status(StrEnum):
    """How an operation stands. Which state of which kind has which is in ``operation_states``."""

    AWAITING_APPROVAL = "awaiting_approval"
    AWAITING_CODE = "awaiting_code"
    PENDING = "pending"
    PAID = "paid"
    NOT_PAID = "not_paid"
    REJECTED = "rejected"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    LOCKED = "locked"
    RETURNED = "returned"
    PAID_AFTER_RETURN = "paid_after_return"
    UNKNOWN = "unknown"


_BEGUN = (Status.AWAITING_CODE, Status.PENDING, Status.EXPIRED, Status.LOCKED, Status.CANCELLED)
STATUSES: Mapping[PublicKind, tuple[Status, ...]] = {
    PublicKind.TOPUP: (
        *_BEGUN,
        Status.PAID,
        Status.NOT_PAID,
        Status.REJECTED,
        Status.UNKNOWN,
    ),
    PublicKind.FLOAT: (
        Status.AWAITING_APPROVAL,
        *_BEGUN,
        Status.SUCCEEDED,
        Status.FAILED,
        Status.REFUSED,
        Status.UNKNOWN,
    ),
    PublicKind.PAYOUT: (
        Status.AWAITING_APPROVAL,
        *_BEGUN,
        Status.PAID,
        Status.RETURNED,
        Status.PAID_AFTER_RETURN,
        Status.REFUSED,
        Status.UNKNOWN,
    ),
    PublicKind.PAYMENT: (Status.SUCCEEDED,),
    PublicKind.ADJUSTMENT: (Status.SUCCEEDED,),
    PublicKind.REVERSAL: (Status.SUCCEEDED,),
}


@dataclass(frozen=True, slots=True)
class PublicPayee:
    """Who a payout is for. ``name`` is M-PESA's, once it gave one."""

    phone: str
    name: str | None
    remarks: str
    client_reference: str | None

    def document(self) -> dict[str, Any]:
        return {
            "recipient_phone": self.phone,
            "recipient_name": self.name,
            "remarks": self.remarks,
            "client_reference": self.client_reference,
        }


def short_name(name: str) -> str:
    """The first name, and the others' initials, as in ``ASHA E.``: events go to addresses that
    nobody looks at, and say no full name."""
    first, *others = name.split() or [""]
    return " ".join([first, *(f"{other[0]}." for other in others)])


@dataclass(frozen=True, slots=True)
class PublicOperation:
    """``wallet_change`` is signed: what the wallet has moved by so far. ``final``: nobody is asked
    any more and no change is expected, though a late payment may still bring one. ``version`` grows
    by one with every change that can be seen here. Fees are ``None`` where the kind has none.
    """

    reference: str
    partner: str
    kind: PublicKind
    status: Status
    reason: str | None
    final: bool
    version: int
    amount: Money
    transfer_fee: Money | None
    processing_fee: Money | None
    wallet_change: Money
    phone: str | None
    receipt: str | None
    description: str | None
    created_at: datetime
    updated_at: datetime
    payee: PublicPayee | None = None

    @property
    def fees(self) -> Money | None:
        if self.transfer_fee is None or self.processing_fee is None:
            return None
        return self.transfer_fee + self.processing_fee

    @property
    def total(self) -> Money | None:
        return None if self.fees is None else self.amount + self.fees

    @property
    def has_events(self) -> bool:
        return self.kind.has_events

    @property
    def event_type(self) -> str:
        return f"{self.kind}.{self.status}"

    def document(self) -> dict[str, Any]:
        """As answers give it. A payout has members that no other kind has."""
        return self._common() | ({} if self.payee is None else self.payee.document())

    def event_document(self) -> dict[str, Any]:
        """As events give it: without a full name."""
        document = self.document()
        if self.payee is not None and self.payee.name is not None:
            document["recipient_name"] = short_name(self.payee.name)
        return document

    def _common(self) -> dict[str, Any]:
        return {
            "reference": self.reference,
            "kind": self.kind.value,
            "status": self.status.value,
            "reason": self.reason,
            "final": self.final,
            "version": self.version,
            "amount": self.amount.decimal,
            "currency": self.amount.currency,
            "fees": _or_null(self.fees),
            "transfer_fee": _or_null(self.transfer_fee),
            "processing_fee": _or_null(self.processing_fee),
            "total": _or_null(self.total),
            "wallet_change": self.wallet_change.decimal,
            "phone": self.phone,
            "receipt": self.receipt,
            "description": self.description,
            "created_at": to_rfc3339(self.created_at),
            "updated_at": to_rfc3339(self.updated_at),
        }


def kind_of(type_: OperationType) -> PublicKind:
    return _KINDS[type_]


def _or_null(amount: Money | None) -> str | None:
    return None if amount is None else amount.decimal
