"""A correction of a wallet agreed by two admins: booked at once and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.domain.money import Money
from services.domain.proposal import Resolution

POSTED = "POSTED"  # the only state


@dataclass(frozen=True, slots=True)
class Adjustment:
    """``outcome`` is credit or debit; ``reason`` is shown to the partner, in the words of the admin
    who proposed it. ``channel`` and ``address`` belong to the admin who approved it."""

    reference: str
    partner: str
    resolution: Resolution
    amount: Money
    reason: str
    channel: str
    address: str
    booked_at: datetime

    @property
    def is_credit(self) -> bool:
        return self.resolution is Resolution.CREDIT
