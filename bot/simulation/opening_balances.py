"""Partners as simulated worlds begin with them: with money in their accounts."""

from __future__ import annotations

from services import partners
from services.domain.ledger import AccountKind, opening_balance
from services.domain.money import Money
from services.domain.partner import Partner
from storage.transaction import SqliteTx


def add_partner(tx: SqliteTx, partner: Partner, wallet: Money, float_: Money) -> None:
    """A partner with its accounts, and what it brings along."""
    partners.add(tx, partner)
    for kind, amount in ((AccountKind.WALLET, wallet), (AccountKind.FLOAT, float_)):
        if amount.cents:
            tx.ledger.book(opening_balance(partner.code, kind, amount))
