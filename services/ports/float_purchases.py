"""Stored float purchases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from services.domain.float_purchase import Purchase
from services.domain.money import Money


class Purchases(Protocol):
    """The float purchases among ``wallet_transactions``, with one ``float_purchases`` row each."""

    def add(self, purchase: Purchase, key: str) -> bool:
        """False when the reference is taken: draw another."""
        ...

    def get(self, reference: str) -> Purchase | None: ...

    def quoted(self, channel: str, address: str) -> Purchase | None:
        """The one quote that this address looks at, if any."""
        ...

    def awaiting(
        self, person_id: int, channel: str, address: str, amount: Money
    ) -> Purchase | None:
        """The person's newest one of this amount that waits, or waited, for a second person's
        yes."""
        ...

    def without_code(self, person_id: int) -> Sequence[Purchase]:
        """What the person has begun and no code was drawn for yet."""
        ...

    def save(self, purchase: Purchase) -> None:
        """Write what may change; the amount only while it is ``QUOTED``, the quote also while it
        waits for a second person."""
        ...

    def claim(self, lease: timedelta, sends: int, queries: int) -> Sequence[Purchase]:
        """Take what is due, to be sent (``sends``) and to be asked about (``questions``).

        Each is due again when ``lease`` ends, with its attempt number grown by one.
        """
        ...

    def bought_since(self, moment: datetime, partner: str | None = None) -> Money:
        """What was authorised since and has not failed, without fees; of one partner, or all."""
        ...

    def stale_quotes(self, before: datetime, limit: int) -> Sequence[Purchase]:
        """Quotes made before this that nobody confirmed."""
        ...
