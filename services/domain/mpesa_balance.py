"""What M-PESA says that its accounts of the short code have (facts: Daraja 7, 9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.domain.money import Money

UTILITY = "Utility Account"  # what payouts leave, and bought float comes to
CHARGES = "Charges Paid Account"  # negative: owed, and settled apart


@dataclass(frozen=True, slots=True)
class MpesaBalance:
    account: str
    amount: Money
    told_at: datetime
    alerted_at: datetime | None


@dataclass(frozen=True, slots=True)
class UtilityShort:
    """The utility account has less than partners may pay out of it."""

    has: Money
    needed: Money

    @property
    def missing(self) -> Money:
        return self.needed - self.has
