"""Partners that a simulated world starts with, with money in their accounts."""

from __future__ import annotations

from services import partners
from services.domain.ledger import AccountKind, opening_balance
from services.domain.money import Money
from services.domain.partner import Partner
from services.ports import Tx


def add_partner(tx: Tx, partner: Partner, wallet: Money, float_: Money) -> None:
    """Add a partner with its accounts and opening balances."""
    partners.add(tx, partner)
    for kind, amount in ((AccountKind.WALLET, wallet), (AccountKind.FLOAT, float_)):
        if amount.cents:
            tx.ledger.book(opening_balance(partner.code, kind, amount))
