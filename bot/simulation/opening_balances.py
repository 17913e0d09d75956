"""Partners that a simulated world starts with, with money in their accounts."""

from __future__ import annotations

import random

from services import partners
from services.domain.ids import new_reference
from services.domain.ledger import AccountKind, opening_balance
from services.domain.money import Money
from services.domain.partner import Partner
from services.ports import Tx


def add_partner(tx: Tx, partner: Partner, wallet: Money, float_: Money) -> None:
    """Add a partner with its accounts and opening balances.

    The wallet's is an adjustment, so that a history of operations sums to the balance. No operation
    is needed for the float's, which is in no such sum.
    """
    partners.add(tx, partner)
    if wallet.cents:
        reference = _reference(partner.code)
        tx.adjustments.add_opening(reference, partner.code, wallet)
        tx.ledger.book(opening_balance(partner.code, AccountKind.WALLET, wallet, reference))
    if float_.cents:
        tx.ledger.book(opening_balance(partner.code, AccountKind.FLOAT, float_))


def _reference(code: str) -> str:
    """The same for a code in every world: it draws nothing from the world's own chance."""
    return new_reference("AD", random.Random(f"opening {code}"))
