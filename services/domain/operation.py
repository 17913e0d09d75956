"""Operations of any type: the lines of a history, what admins find, and what is counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from services.domain.money import Money


class OperationType(StrEnum):
    TOPUP = "topup"
    FLOAT = "b2c_float_purchase"
    ADJUSTMENT = "adjustment"
    PAYMENT = "paybill_payment"
    REVERSAL = "reversal"
    PAYOUT = "disbursement"
    BATCH = "payout_batch"  # of payouts; its money is theirs


@dataclass(frozen=True, slots=True)
class Operation:
    """``state`` is a state of its type; ``amount`` is without fees."""

    reference: str
    type: OperationType
    amount: Money
    state: str
    begun_at: datetime


class StateBacklog(NamedTuple):
    """The number of operations of one kind in a state, and the age of the oldest in seconds."""

    kind: OperationType
    state: str
    many: int
    oldest_s: float


class FoundOperation(NamedTuple):
    """An operation with its partner, since admins search over all partners."""

    operation: Operation
    partner: str
