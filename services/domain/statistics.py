"""Usage figures over all partners."""

from __future__ import annotations

from typing import NamedTuple

from services.domain.money import Money


class BatchTally(NamedTuple):
    """Files of payouts that somebody confirmed in a period: how many, how many of them have paid
    what they could, and how many were stopped on their way."""

    begun: int
    done: int
    stopped: int


class OperationCounts(NamedTuple):
    """Operations of one kind begun in a period. ``decided`` have a known outcome; ``median_s`` is
    the median time from begun to done; ``returned`` are payouts that M-PESA did not make."""

    begun: int
    decided: int
    done: int
    total: Money
    median_s: float | None
    returned: int
    unknown: int
