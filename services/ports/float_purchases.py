"""Stored float purchases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.domain.float_purchase import Purchase
from services.domain.money import Money


class Purchases(Protocol):
    """The float purchases among ``wallet_transactions``, with one ``float_purchases`` row each."""

    def add(self, purchase: Purchase, key: str) -> bool:
        """False if the reference is taken: draw another."""
        ...

    def get(self, reference: str) -> Purchase | None: ...

    def quoted(self, channel: str, address: str) -> Purchase | None:
        """The one open quote shown at this address, if any."""
        ...

    def awaiting(
        self, person_id: int, channel: str, address: str, amount: Money
    ) -> Purchase | None:
        """The person's newest purchase of this amount that awaits a second person's approval, or
        was approved and not continued."""
        ...

    def without_code(self, person_id: int) -> Sequence[Purchase]:
        """Purchases the person has begun for which no code has been drawn yet."""
        ...

    def save(self, purchase: Purchase) -> None:
        """Write the mutable fields; the amount only while ``QUOTED``, the quote also while awaiting
        approval."""
        ...

    def bought_since(self, moment: datetime, partner: str | None = None) -> Money:
        """Total authorised since then and not failed, without fees; of one partner, or of all."""
        ...

    def stale_quotes(self, before: datetime, limit: int) -> Sequence[Purchase]:
        """Unconfirmed quotes made before this."""
        ...

    def unknown(self, partner: str, amount: Money) -> Purchase | None:
        """The newest purchase of this amount whose outcome is unknown."""
        ...

    def recent_amounts(self, person_id: int, limit: int) -> list[Money]:
        """Amounts of the person's latest purchases, each once, newest first."""
        ...

    # Over all partners and the whole table: for the simulator and for checks.

    def newest(self) -> Purchase | None: ...

    def every(self) -> list[Purchase]: ...

    def bought(self) -> dict[str, Money]:
        """Amounts of successful purchases by reference."""
        ...
