"""The simulated bank's float books: every purchase it booked, and the balance it came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.simulation.faults import Fate
from services.domain.ids import RandomSource, new_reference
from services.domain.money import Money
from services.ports import Clock

OPENING_BALANCE = Money(100_000_000_000)
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class FloatBooking:
    """A float order.

    It is bought at ``booked_at``, which is in the future while it is only accepted, and refused at
    ``failed_at`` unless bought before. ``reported_at`` is when an answer first reported it as
    bought: from then on the product knows, unless it died before recording it.
    """

    reference: str  # in the bank's form: our reference without its dash
    amount: Money
    short_code: str
    booked_at: datetime
    instrument_reference: str  # the bank's own
    failed_at: datetime = NEVER
    reported_at: datetime | None = None


class FloatLedger:
    """``order_counts`` counts orders by reference.

    A second order with a reference is refused, as one integrator saw (facts: NCBA 6). Duplicate
    protection is not documented, so nothing may rely on it.

    ``sold`` is called with each purchase that is booked now or will be.
    """

    def __init__(self, clock: Clock, random: RandomSource) -> None:
        self._clock = clock
        self._random = random
        self._by_reference: dict[str, FloatBooking] = {}
        self.order_counts: Counter[str] = Counter()
        self.sold: Callable[[FloatBooking], None] = lambda purchase: None
        self.bounced: list[FloatBooking] = []

    def order(
        self,
        reference: str,
        amount: Money,
        short_code: str,
        fate: Fate = Fate.SETTLES,
        after: timedelta = timedelta(0),
    ) -> FloatBooking:
        """Book a new reference; ``fate`` takes effect ``after`` this time."""
        assert reference not in self._by_reference, "the desk refuses a duplicate"
        then = self._clock.now() + after
        purchase = FloatBooking(
            reference=reference,
            amount=amount,
            short_code=short_code,
            booked_at=then if fate is Fate.SETTLES else NEVER,
            failed_at=then if fate is Fate.FAILS else NEVER,
            instrument_reference=new_reference("FT", self._random, length=10),
        )
        self._by_reference[reference] = purchase
        if fate is Fate.SETTLES:
            self.sold(purchase)
        return purchase

    def bounce(self, reference: str, amount: Money, short_code: str) -> None:
        """Take the money and return it: two lines on the statement, and no purchase."""
        self.order_counts[reference] += 1
        self.bounced.append(
            FloatBooking(
                reference,
                amount,
                short_code,
                self._clock.now(),
                new_reference("FT", self._random, length=10),
            )
        )

    def find(self, reference: str) -> FloatBooking | None:
        """An order that was bought, refused or only accepted."""
        return self._by_reference.get(reference)

    def purchases(self) -> tuple[FloatBooking, ...]:
        """Purchases bought by now, in booking order."""
        now = self._clock.now()
        bought = (booking for booking in self._by_reference.values() if booking.booked_at <= now)
        return tuple(sorted(bought, key=lambda booking: booking.booked_at))

    def balance(self) -> Money:
        return OPENING_BALANCE - sum((one.amount for one in self.purchases()), Money(0))
