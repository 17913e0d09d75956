"""The five statuses of the older service, and what each says."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from services.domain.public_operation import Status


class OlderStatus(StrEnum):
    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


# As ``not_paid``, ``rejected`` and ``returned``, ``failed`` is not the very end of a top-up or a
# payout: a payment that comes late turns it into ``completed``.
OLDER: Mapping[Status, OlderStatus] = {
    Status.AWAITING_APPROVAL: OlderStatus.PENDING,
    Status.AWAITING_CODE: OlderStatus.PENDING,
    Status.PENDING: OlderStatus.PENDING,
    Status.PAID: OlderStatus.COMPLETED,
    Status.SUCCEEDED: OlderStatus.COMPLETED,
    Status.NOT_PAID: OlderStatus.FAILED,
    Status.REJECTED: OlderStatus.FAILED,
    Status.FAILED: OlderStatus.FAILED,
    Status.REFUSED: OlderStatus.FAILED,
    Status.EXPIRED: OlderStatus.FAILED,
    Status.LOCKED: OlderStatus.FAILED,
    Status.CANCELLED: OlderStatus.CANCELLED,
    Status.RETURNED: OlderStatus.FAILED,
    Status.PAID_AFTER_RETURN: OlderStatus.COMPLETED,
    Status.UNKNOWN: OlderStatus.UNKNOWN,
}

MESSAGES: Mapping[OlderStatus, str] = {
    OlderStatus.PENDING: "This is under way. Nothing is decided yet.",
    OlderStatus.COMPLETED: "This is done.",
    OlderStatus.FAILED: "This has failed. No money of it has moved.",
    OlderStatus.CANCELLED: "This was cancelled. No money of it has moved.",
    OlderStatus.UNKNOWN: "It is not known yet whether this was done. Do not start it again.",
}
