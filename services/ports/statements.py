"""What the statement of a wallet is made from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.domain.money import Money
from services.domain.statement import Movement


class Statements(Protocol):
    def wallet_at(self, partner: str, moment: datetime) -> Money:
        """The posted balance just before ``moment``."""
        ...

    def movements(
        self, partner: str, start: datetime, end: datetime, limit: int
    ) -> Sequence[Movement]:
        """What moved the wallet from ``start`` until just before ``end``, oldest first."""
        ...
