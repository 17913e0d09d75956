"""The desk's figures as admins see them, counted by ``bot/jobs/statistics.py``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from storage.stores.statistics import Count, StatisticsStore

FRESH = timedelta(seconds=2)  # figures that old are counted anew when they are looked at


class Reached(NamedTuple):
    """How often people came to a screen."""

    node: str
    times: int


@dataclass(frozen=True, slots=True)
class Screens:
    """How often people came to each since a moment, by ``flow.node``."""

    since: datetime | None = None
    times: Counter[str] = field(default_factory=Counter)
    next_row: int | None = None  # of the trail: there was none since, as far as is known

    def gone_on(self, store: StatisticsStore, since: datetime) -> Screens:
        """With what came in the meantime, or anew from another moment: nothing is read twice."""
        known = self if since == self.since else Screens(since)
        first = known.next_row or store.first_step_since(since)
        if first is None:
            return known
        times, next_row = store.reached(first)
        return Screens(since, known.times + Counter(times), next_row)

    def of(self, flow: str) -> list[Reached]:
        """The flow's screens, those that people came to most often first."""
        nodes = (at.removeprefix(f"{flow}.") for at in self.times if at.startswith(f"{flow}."))
        reached = [Reached(node, self.times[f"{flow}.{node}"]) for node in nodes]
        return sorted(reached, key=lambda one: (-one.times, one.node))


@dataclass(frozen=True, slots=True)
class Figures:
    """Since the beginning of the business day, of its week (Monday) and of its month."""

    at: datetime
    topups: dict[str, Count]
    floats: dict[str, Count]
    screens: Screens  # of this week


@dataclass(slots=True)
class StatisticsBoard:
    """The newest figures, and whether they are wanted again: at the start, and when looked at."""

    figures: Figures | None = None
    wanted: bool = True
