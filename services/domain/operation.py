"""One line of a partner's history, for any type of operation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.domain.money import Money


class OperationType(StrEnum):
    TOPUP = "topup"
    FLOAT = "b2c_float_purchase"
    ADJUSTMENT = "adjustment"
    PAYMENT = "paybill_payment"
    REVERSAL = "reversal"


@dataclass(frozen=True, slots=True)
class Operation:
    """``state`` is a state of its type; ``amount`` is without fees."""

    reference: str
    type: OperationType
    amount: Money
    state: str
    begun_at: datetime
