"""Double-entry booking and balances."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from services.domain.ledger import Account, AccountKind, Balance, FloatTotals, Transfer


class Ledger(Protocol):
    def open_accounts(self, partner: str, kinds: Iterable[AccountKind], currency: str) -> None:
        """Open the accounts that do not exist yet, with zero balance."""
        ...

    def book(self, *transfers: Transfer) -> None:
        """Book all. Idempotent: a transfer id that exists already is the same leg and changes
        nothing."""
        ...

    def balance(self, account: Account) -> Balance: ...

    def float_totals(self, partner: str, currency: str) -> FloatTotals:
        """What went through the partner's float so far; zeros where it was never opened."""
        ...

    def newest(self, count: int) -> list[Transfer]:
        """The newest transfers of all partners, newest first."""
        ...

    def legs(self, operation: str) -> list[tuple[datetime, Transfer]]:
        """The operation's transfers with their booking times, in booking order."""
        ...
