"""Time: the clock the process waits by, and the time it has actually been running."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The only source of time for whatever waits."""

    def now(self) -> datetime:
        """UTC, aware. Somebody may set it: what waits inside the program counts no such moments."""
        ...

    def monotonic(self) -> float:
        """Seconds since some beginning, which nobody can set."""
        ...

    async def sleep(self, seconds: float) -> None: ...

    def deadline(self, seconds: float) -> AbstractAsyncContextManager[None]:
        """Raises ``TimeoutError`` inside the block when the seconds have passed on this clock."""
        ...


class RunningClock(Protocol):
    """How much time has passed while the desk ran. A start with a clock that is ahead looks just
    like days in which it did not run: neither counts."""

    def downtime_since(self, moment: datetime) -> timedelta:
        """How much of the time since then does not count."""
        ...

    def ago(self, passed: timedelta) -> datetime:
        """The moment since which so much has passed."""
        ...

    def elapses_at(self, since: datetime, passed: timedelta) -> datetime:
        """When so much has passed since then."""
        ...

    def possible_offsets(self) -> Sequence[timedelta]:
        """What may have to be added to a stored moment to have the outside's time of it: nothing,
        or what somebody set the clock by, or it stood still for, in the last days."""
        ...
