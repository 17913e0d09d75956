"""What statements and digests of an account are made from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.domain.ledger import AccountKind
from services.domain.money import Money
from services.domain.statement import CodeTotal, Movement


class Statements(Protocol):
    def balance_at(self, partner: str, account: AccountKind, moment: datetime) -> Money:
        """The posted balance just before ``moment``."""
        ...

    def movements(
        self, partner: str, account: AccountKind, start: datetime, end: datetime, limit: int
    ) -> Sequence[Movement]:
        """What moved the account from ``start`` until just before ``end``, oldest first."""
        ...

    def totals(
        self, partner: str, account: AccountKind, start: datetime, end: datetime
    ) -> Sequence[CodeTotal]:
        """The same, added up by why it moved."""
        ...
