"""Asking the bank, or M-PESA, about an operation before it is due.

Functions run inside a transaction and make no outside calls.
"""

from __future__ import annotations

from services import float_settlement, payout_settlement, topup_settlement
from services.domain.spending import Spending
from services.domain.topup import TopUp
from services.ports import Tx


def query_now(tx: Tx, reference: str) -> TopUp | Spending | None:
    """Make the next query about it due at once; ``None`` if nothing new can be said."""
    return (
        topup_settlement.query_now(tx, reference)
        or float_settlement.query_now(tx, reference)
        or payout_settlement.query_now(tx, reference)
    )
