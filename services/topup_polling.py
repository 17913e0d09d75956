"""How long a top-up has been open while the desk ran, and when a soft failure is polled again."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.domain.topup import BY_HAND_FOR, POLLED_FOR, TopUp, next_poll
from services.ports import Tx

# Younger top-ups are within every limit, whatever the clock did; older ones only may be past one.
DOWNTIME_COUNTS_FROM = min(POLLED_FOR, BY_HAND_FOR)
SOFT_POLL_MIN = timedelta(seconds=30)  # "the slow pace" for what has failed softly


def polling_is_over(tx: Tx, topup: TopUp) -> bool:
    """The 24 hours for which the bank is asked."""
    return topup.sent_at is not None and elapsed(tx, topup.sent_at) >= POLLED_FOR


def elapsed(tx: Tx, since: datetime) -> timedelta:
    """What has passed since then. Of a day and more only while the desk ran: a clock that was
    wrong at a start looks like days in which it stood still, and may end nothing."""
    age = tx.now - since
    return age if age < DOWNTIME_COUNTS_FROM else age - tx.clock.downtime_since(since)


def next_soft_poll(tx: Tx, topup: TopUp, spread: float) -> datetime | None:
    """When to ask again about a soft failure; never after the 24 hours."""
    assert topup.sent_at is not None
    age = elapsed(tx, topup.sent_at)
    if age >= POLLED_FOR:
        return None
    again = max(next_poll(tx.now - age, tx.now, spread), tx.now + SOFT_POLL_MIN)
    return min(tx.now + POLLED_FOR - age, again)
