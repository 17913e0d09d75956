"""Which low-balance thresholds a movement of money has crossed downwards."""

from __future__ import annotations

from dataclasses import dataclass

from services import balances
from services.domain.money import Money
from services.domain.notification import NotificationKind, fell_below
from services.domain.partner import Partner
from services.ports import Tx


@dataclass(frozen=True, slots=True)
class LowBalance:
    kind: NotificationKind
    threshold: Money
    balance: Money


def newly_low(tx: Tx, partner: Partner, *, wallet: Money, float_: Money) -> list[LowBalance]:
    """What has just become low after ``wallet`` and ``float_`` were added (negative: taken away)
    and posted. Holds do not count: they may still be voided."""
    if not (partner.low_balance_cents or partner.low_float_cents):
        return []
    seen = balances.of(tx, partner)
    found = []
    for kind, cents, after, moved in (
        (NotificationKind.LOW_WALLET, partner.low_balance_cents, seen.wallet.posted, wallet),
        (NotificationKind.LOW_FLOAT, partner.low_float_cents, seen.float.posted, float_),
    ):
        threshold = Money(cents, partner.currency)
        if fell_below(threshold, after - moved, after):
            found.append(LowBalance(kind, threshold, after))
    return found
