"""What customers were paid out of a float, and how long it lasts at that rate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from services.domain.ledger import TransferCode
from services.domain.money import Money
from services.domain.statement import CodeTotal

PAID_FOR = timedelta(days=7)  # what is paid in this time gives the rate


class PaidOut(NamedTuple):
    """What has left a float for customers, and M-PESA's charges for that."""

    amount: Money
    charges: Money

    @property
    def total(self) -> Money:
        return self.amount + self.charges


@dataclass(frozen=True, slots=True)
class Runway:
    """``paid`` has left the float within ``PAID_FOR``; ``available`` is neither spent nor held."""

    available: Money
    paid: PaidOut

    @property
    def days(self) -> float | None:
        """``None`` if nothing was paid in that time: there is no rate."""
        if self.paid.total.cents <= 0:
            return None
        return self.available.cents * PAID_FOR.days / self.paid.total.cents


def paid_out(totals: Iterable[CodeTotal], currency: str = "KES") -> PaidOut:
    """``totals`` are those of one float."""
    spent = {total.code: total.paid_out for total in totals}
    nothing = Money(0, currency)
    return PaidOut(
        spent.get(TransferCode.PAYOUT, nothing), spent.get(TransferCode.PAYOUT_FEE, nothing)
    )
