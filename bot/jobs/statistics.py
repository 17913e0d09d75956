"""Counts the admins' figures on a database reader, on request only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.observe.statistics import Figures, ScreenCounts, StatisticsBoard
from services.domain.business_days import business_day, start_of_day_at
from services.domain.operation import OperationType
from services.domain.statistics import OperationCounts
from services.ports import Clock, Statistics, Tx
from services.ports.database import Database


class StatisticsJob:
    def __init__(self, database: Database, clock: Clock, board: StatisticsBoard) -> None:
        self._database = database
        self._clock = clock
        self._board = board

    async def scan(self) -> datetime | None:
        """Counts only when a refresh was requested."""
        if not self._board.refresh_requested:
            return None
        self._board.refresh_requested, now, before = False, self._clock.now(), self._board.figures
        known = ScreenCounts() if before is None else before.screens
        self._board.figures = await self._database.read(lambda tx: count(tx, now, known))
        return None


def count(tx: Tx, now: datetime, known: ScreenCounts) -> Figures:
    """``known`` are the previous screen counts, to continue from."""
    today, day = start_of_day_at(now), business_day(now)
    since = {
        "today": today,
        "week": today - timedelta(days=day.weekday()),
        "month": today - timedelta(days=day.day - 1),
    }
    store = tx.statistics
    begins = {moment: store.first_operation_since(moment) for moment in set(since.values())}
    first = {name: begins[moment] for name, moment in since.items()}
    return Figures(
        at=now,
        topups=_counts(store, OperationType.TOPUP, first),
        floats=_counts(store, OperationType.FLOAT, first),
        payouts=_counts(store, OperationType.PAYOUT, first),
        batches={name: store.batches(seq) for name, seq in first.items()},
        screens=known.brought_up_to_date(store, since["week"], now),
    )


def _counts(
    store: Statistics, kind: OperationType, first: Mapping[str, int]
) -> dict[str, OperationCounts]:
    """Counts periods that start with the same operation, as on a Monday, only once."""
    counts = {seq: store.count(kind, seq) for seq in set(first.values())}
    return {name: counts[seq] for name, seq in first.items()}
