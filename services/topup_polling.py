"""How long a top-up has been open, without downtime, and when a soft failure is polled again."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.domain.topup import BY_HAND_FOR, POLLED_FOR, TopUp, next_poll
from services.ports import Tx

# Younger top-ups are within every limit, whatever the clock did; only older ones may exceed one.
DOWNTIME_COUNTS_FROM = min(POLLED_FOR, BY_HAND_FOR)
SOFT_POLL_MIN = timedelta(seconds=30)  # the slowest pace, for soft failures


def polling_is_over(tx: Tx, topup: TopUp) -> bool:
    """The 24 hours in which the bank is queried are over."""
    return topup.sent_at is not None and elapsed(tx, topup.sent_at) >= POLLED_FOR


def elapsed(tx: Tx, since: datetime) -> timedelta:
    """Time passed since then; from a day on, without downtime: starting with a wrong clock looks
    like days of downtime, which must not end anything."""
    age = tx.now - since
    return age if age < DOWNTIME_COUNTS_FROM else age - tx.clock.downtime_since(since)


def next_soft_poll(tx: Tx, topup: TopUp, spread: float) -> datetime | None:
    """When to query a soft failure again; never after the 24 hours."""
    assert topup.sent_at is not None
    age = elapsed(tx, topup.sent_at)
    if age >= POLLED_FOR:
        return None
    again = max(next_poll(tx.now - age, tx.now, spread), tx.now + SOFT_POLL_MIN)
    return min(tx.now + POLLED_FOR - age, again)
