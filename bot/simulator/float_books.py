"""The simulated bank's own books of float: every purchase it booked, and from which balance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.domain.ids import Draw, new_reference
from services.ports import Clock

OPENING_BALANCE_KES = 1_000_000_000


@dataclass(slots=True)
class FloatPurchase:
    """One booking. ``told_at`` is when an answer saying that it was bought was first written in
    full: from then on the product knows, unless it died before it could write it down."""

    reference: str  # as the bank has it: ours without its dash
    amount_kes: int
    short_code: str
    booked_at: datetime
    instrument_reference: str  # the bank's own
    told_at: datetime | None = None


class FloatBook:
    """A repeated reference is booked again: no duplicate protection is documented (facts: NCBA
    3), so the books show what a second POST would do."""

    def __init__(self, clock: Clock, random: Draw) -> None:
        self._clock = clock
        self._random = random
        self._booked: list[FloatPurchase] = []
        self._first: dict[str, FloatPurchase] = {}
        self.bounced: list[FloatPurchase] = []

    def book(self, reference: str, amount_kes: int, short_code: str) -> FloatPurchase:
        purchase = FloatPurchase(
            reference=reference,
            amount_kes=amount_kes,
            short_code=short_code,
            booked_at=self._clock.now(),
            instrument_reference=new_reference("FT", self._random, length=10),
        )
        self._booked.append(purchase)
        self._first.setdefault(reference, purchase)
        return purchase

    def bounce(self, reference: str, amount_kes: int, short_code: str) -> None:
        """Taken and given back: on the statement twice, and no purchase."""
        self.bounced.append(
            FloatPurchase(
                reference,
                amount_kes,
                short_code,
                self._clock.now(),
                new_reference("FT", self._random, length=10),
            )
        )

    def find(self, reference: str) -> FloatPurchase | None:
        """The first under that reference."""
        return self._first.get(reference)

    def purchases(self) -> tuple[FloatPurchase, ...]:
        """In the order of booking."""
        return tuple(self._booked)

    def balance_kes(self) -> int:
        return OPENING_BALANCE_KES - sum(purchase.amount_kes for purchase in self._booked)
