"""How the whole desk stands, over all partners, as the dashboard shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from services.domain.money import Money


@dataclass(frozen=True, slots=True)
class StuckItem:
    """Something that admins must look at, and why. ``asked_next_at`` is when the bank is asked
    about it by itself; ``partner``, ``amount`` and ``state`` are ``None`` where it has none."""

    reference: str
    why: str
    since: datetime
    partner: str | None
    amount: Money | None
    state: str | None
    asked_next_at: datetime | None


class LatePayment(NamedTuple):
    """A top-up that was paid after it had been called not paid."""

    reference: str
    partner: str
    amount: Money
    settled_at: datetime


class StateCount(NamedTuple):
    """Operations of one kind and state."""

    kind: str
    state: str
    standing: str
    number: int


class Imbalance(NamedTuple):
    """What must be zero in one currency: debits less credits, posted and held, and how many
    accounts are overdrawn that never may be."""

    currency: str
    posted: int
    pending: int
    overdrawn: int

    @property
    def is_sound(self) -> bool:
        return self.posted == self.pending == self.overdrawn == 0


class QueuedMessages(NamedTuple):
    """Messages of one channel that wait to be sent, and since when the first of them waits."""

    channel: str
    number: int
    since: datetime


class UnhappyEndpoint(NamedTuple):
    """A partner's endpoint whose newest try failed, or that was switched off."""

    endpoint: str
    partner: str
    why: str
    is_on: bool
