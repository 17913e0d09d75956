"""What M-PESA charges for a payment to a customer (facts: M-PESA, Limits)."""

from __future__ import annotations

from services.domain.fees import NOTHING, Quote
from services.domain.money import Money

TARIFF_VERSION = 1  # of the bands below, stored with each quote

# The highest amount of each band and its charge, in shillings. Above the last, its charge holds:
# what M-PESA takes at all is a matter of the limits.
_BANDS = ((100, 0), (1_500, 5), (5_000, 9), (20_000, 11), (250_000, 13))


def payout_quote(amount: Money) -> Quote:
    """The tariff stands as the transfer fee; the desk itself takes nothing for a payout."""
    fees = (fee for highest, fee in _BANDS if amount.cents <= highest * 100)
    charge = Money(next(fees, _BANDS[-1][1]) * 100, amount.currency)
    return Quote(amount, charge, NOTHING, TARIFF_VERSION, 0)
