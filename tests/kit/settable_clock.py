"""A wall clock that tests set, beside a monotonic one that nobody can."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from storage.time.timekeeper import Timekeeper

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)


class SettableClock:
    """A clock that can be set, and one that cannot."""

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
