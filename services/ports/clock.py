"""The clock that the process waits by, and how long it has actually been running."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The only source of time for anything that waits."""

    def now(self) -> datetime:
        """UTC, timezone-aware. The system clock may be changed, so waits inside the process use
        ``monotonic``."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary start, unaffected by changes of the system clock."""
        ...

    async def sleep(self, seconds: float) -> None: ...

    def deadline(self, seconds: float) -> AbstractAsyncContextManager[None]:
        """Raises ``TimeoutError`` inside the block once the seconds have passed on this clock."""
        ...


class RunningClock(Protocol):
    """Elapsed time without downtime. Starting with a clock that is ahead looks like days of
    downtime: neither counts."""

    def downtime_since(self, moment: datetime) -> timedelta:
        """How much of the time since then does not count."""
        ...

    def ago(self, passed: timedelta) -> datetime:
        """The moment from which ``passed`` has elapsed until now."""
        ...

    def elapses_at(self, since: datetime, passed: timedelta) -> datetime:
        """When ``passed`` will have elapsed since then."""
        ...

    def possible_offsets(self) -> Sequence[timedelta]:
        """What may have to be added to a stored moment to get the outside world's time: zero, or
        recent changes of our clock, with standstills and without."""
        ...

    def mark(self) -> None:
        """Record the time of this transaction in an existing row, so that nothing grows."""
        ...

    def marked_ms(self) -> int:
        """The time that ``mark`` last recorded, in milliseconds since 1970."""
        ...
