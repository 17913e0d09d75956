"""Counts how the desk does, on a reader, when an admin wants to know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from services.domain.business_days import business_day, day_start
from services.ports import Clock
from storage.sqlite.database import Database
from storage.stores.statistics import Count, StatisticsStore
from storage.transaction import SqliteTx

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
class Board:
    """The newest figures, and whether they are wanted again: at the start, and when looked at."""

    figures: Figures | None = None
    wanted: bool = True


class Statistician:
    def __init__(self, database: Database, clock: Clock, board: Board) -> None:
        self._database = database
        self._clock = clock
        self._board = board

    async def scan(self) -> datetime | None:
        """Counts when it is wanted, and never by itself."""
        if not self._board.wanted:
            return None
        self._board.wanted, now, before = False, self._clock.now(), self._board.figures
        known = Screens() if before is None else before.screens
        self._board.figures = await self._database.read(lambda tx: count(tx, now, known))
        return None


def count(tx: SqliteTx, now: datetime, known: Screens) -> Figures:
    """``known`` are the screens of the figures before, to be counted on from."""
    today, day = day_start(now), business_day(now)
    since = {
        "today": today,
        "week": today - timedelta(days=day.weekday()),
        "month": today - timedelta(days=day.day - 1),
    }
    store = tx.statistics
    begins = {moment: store.first_since(moment) for moment in set(since.values())}
    first = {name: begins[moment] for name, moment in since.items()}
    return Figures(
        at=now,
        topups=_counts(store, "topup", first),
        floats=_counts(store, "b2c_float_purchase", first),
        screens=known.gone_on(store, since["week"]),
    )


def _counts(store: StatisticsStore, kind: str, first: Mapping[str, int]) -> dict[str, Count]:
    """Periods that begin with the same operation, as on a Monday, are counted once."""
    counts = {seq: store.count(kind, seq) for seq in set(first.values())}
    return {name: counts[seq] for name, seq in first.items()}
