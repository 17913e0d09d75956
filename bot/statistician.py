"""Counts how the desk does, on a reader, when an admin wants to know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from services.domain.days import business_day, day_start
from services.ports import Clock
from storage.database import Database
from storage.statistics import Count, StatisticsStore
from storage.transaction import SqliteTx

FLOWS = ("topup", "float")
FRESH = timedelta(seconds=2)  # figures that old are counted anew when they are looked at


class Reached(NamedTuple):
    """How often people came to a screen."""

    node: str
    times: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Since the beginning of the business day, of its week (Monday) and of its month."""

    at: datetime
    topups: dict[str, Count]
    floats: dict[str, Count]
    screens: dict[str, list[Reached]]  # of this week, by flow


@dataclass(slots=True)
class Board:
    """The newest figures, and whether they are wanted again: at the start, and when looked at."""

    figures: Figures | None = None
    wanted: bool = True


@dataclass(slots=True)
class Screens:
    """How often people came to each since a moment; what has been counted is not read again."""

    since: datetime | None = None
    _times: Counter[str] = field(default_factory=Counter)
    _next_turn: int | None = None  # to be counted from; none was decided since, as far as is known

    def go_on(self, store: StatisticsStore, since: datetime) -> None:
        """Count what came in the meantime, or anew from another moment."""
        if since != self.since:
            self.since, self._next_turn = since, None
            self._times.clear()
        if self._next_turn is None:
            self._next_turn = store.first_turn_since(since)
        if self._next_turn is not None:
            times, self._next_turn = store.reached(self._next_turn)
            self._times.update(times)

    def of(self, flow: str) -> list[Reached]:
        """The flow's screens, those that people came to most often first."""
        nodes = (at.removeprefix(f"{flow}.") for at in self._times if at.startswith(f"{flow}."))
        reached = [Reached(node, self._times[f"{flow}.{node}"]) for node in nodes]
        return sorted(reached, key=lambda one: (-one.times, one.node))


class Statistician:
    def __init__(self, database: Database, clock: Clock, board: Board) -> None:
        self._database = database
        self._clock = clock
        self._board = board
        self._screens = Screens()

    async def scan(self) -> datetime | None:
        """Counts when it is wanted, and never by itself."""
        if not self._board.wanted:
            return None
        self._board.wanted, now = False, self._clock.now()
        self._board.figures = await self._database.read(lambda tx: count(tx, now, self._screens))
        return None


def count(tx: SqliteTx, now: datetime, screens: Screens) -> Figures:
    today, day = day_start(now), business_day(now)
    since = {
        "today": today,
        "week": today - timedelta(days=day.weekday()),
        "month": today - timedelta(days=day.day - 1),
    }
    store = tx.statistics
    begins = {moment: store.first_since(moment) for moment in set(since.values())}
    first = {name: begins[moment] for name, moment in since.items()}
    screens.go_on(store, since["week"])
    return Figures(
        at=now,
        topups=_counts(store, "topup", first),
        floats=_counts(store, "b2c_float_purchase", first),
        screens={flow: screens.of(flow) for flow in FLOWS},
    )


def _counts(store: StatisticsStore, kind: str, first: Mapping[str, int]) -> dict[str, Count]:
    """Periods that begin with the same operation, as on a Monday, are counted once."""
    counts = {seq: store.count(kind, seq) for seq in set(first.values())}
    return {name: counts[seq] for name, seq in first.items()}
