"""A partner's balances."""

from __future__ import annotations

from dataclasses import dataclass

from services.domain.ledger import Account, AccountKind, Balance
from services.domain.money import Money
from services.domain.partner import Partner
from services.ports import Tx


@dataclass(frozen=True, slots=True)
class Balances:
    """The wallet is low below ``threshold``; zero means no threshold."""

    wallet: Balance
    float: Balance
    threshold: Money

    @property
    def is_low(self) -> bool:
        return self.wallet.available < self.threshold


def of(tx: Tx, partner: Partner) -> Balances:
    return Balances(
        wallet=tx.ledger.balance(Account(partner.code, AccountKind.WALLET)),
        float=tx.ledger.balance(Account(partner.code, AccountKind.FLOAT)),
        threshold=Money(partner.low_balance_cents, partner.currency),
    )
