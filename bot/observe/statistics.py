"""The figures that admins see, counted by ``bot/jobs/statistics.py``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from services.domain.statistics import BatchTally, OperationCounts
from services.ports import Statistics

FRESH = timedelta(seconds=2)  # older figures are recounted when somebody looks
# Another process may commit a row with a lower number later, but none that was begun before this.
SETTLED_AFTER = timedelta(minutes=1)


class ScreenCount(NamedTuple):
    """How often people reached a screen."""

    node: str
    times: int


@dataclass(frozen=True, slots=True)
class ScreenCounts:
    """How often people reached each screen since a time, by ``flow.node``."""

    since: datetime | None = None
    times: Counter[str] = field(default_factory=Counter)
    settled: Counter[str] = field(default_factory=Counter)  # up to ``next_row``
    next_row: int | None = None  # of the trail: from here on rows are counted again

    def brought_up_to_date(self, store: Statistics, since: datetime, now: datetime) -> ScreenCounts:
        """Adds what happened since the last count; starts over if ``since`` changed."""
        known = self if since == self.since else ScreenCounts(since)
        first = known.next_row or store.first_step_since(since)
        if first is None:
            return known
        settled, last = known.settled, store.last_step_before(now - SETTLED_AFTER)
        if last >= first:
            settled, first = settled + Counter(store.reached(first, last)), last + 1
        return ScreenCounts(since, settled + Counter(store.reached(first)), settled, first)

    def of(self, flow: str) -> list[ScreenCount]:
        """The flow's screens, the most visited first."""
        nodes = (at.removeprefix(f"{flow}.") for at in self.times if at.startswith(f"{flow}."))
        reached = [ScreenCount(node, self.times[f"{flow}.{node}"]) for node in nodes]
        return sorted(reached, key=lambda count: (-count.times, count.node))


@dataclass(frozen=True, slots=True)
class Figures:
    """Since the start of the business day, of its week (Monday) and of its month."""

    at: datetime
    topups: dict[str, OperationCounts]
    floats: dict[str, OperationCounts]
    payouts: dict[str, OperationCounts]
    batches: dict[str, BatchTally]
    screens: ScreenCounts  # of this week


@dataclass(slots=True)
class StatisticsBoard:
    """The newest figures, and whether a recount was requested: at start, and when viewed."""

    figures: Figures | None = None
    refresh_requested: bool = True
