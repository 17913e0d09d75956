"""The short code's accounts at M-PESA against what partners hold.

Functions run inside a transaction and make no outside calls.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.domain.ledger import AccountKind
from services.domain.money import Money
from services.domain.mpesa_balance import UTILITY, UtilityShort
from services.ports import Tx


def record(tx: Tx, balances: Mapping[str, Money]) -> UtilityShort | None:
    """Store what M-PESA said. Returns a shortage of the utility account that admins have not been
    told of since it last had enough."""
    for account, amount in balances.items():
        tx.mpesa_balances.note(account, amount)
    if UTILITY not in balances:
        return None
    short = shortage(tx)
    stored = tx.mpesa_balances.get(UTILITY)
    assert stored is not None, "it was just stored"
    tx.mpesa_balances.alerted(UTILITY, still=short is not None)
    return short if short is not None and stored.alerted_at is None else None


def shortage(tx: Tx) -> UtilityShort | None:
    """Whether partners hold more float than M-PESA's account has. What is on its way may have left
    it already, and is not counted. ``None`` also while M-PESA has said nothing."""
    stored = tx.mpesa_balances.get(UTILITY)
    if stored is None:
        return None
    needed = tx.overview.balances()[AccountKind.FLOAT].posted - tx.payouts.on_their_way()
    return UtilityShort(stored.amount, needed) if stored.amount < needed else None
