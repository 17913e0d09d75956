"""A wall clock that tests can set, and a monotonic clock that they cannot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from storage.time.timekeeper import Timekeeper

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)


class SettableClock:
    """``wall`` can be set; ``passed`` cannot."""

    def __init__(self) -> None:
        self.wall = START
        self.passed = 1_000.0

    def pass_time(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.passed += seconds

    def set_clock(self, by: timedelta) -> None:
        self.wall += by

    def keeper(self) -> Timekeeper:
        return Timekeeper(lambda: self.wall, lambda: self.passed)
