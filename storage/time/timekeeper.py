"""The desk's own time: that of the machine's clock, without its small leaps and with its big ones
counted.

Whoever sets the clock moves every moment that the desk waits for, or counts from. So a leap of at
most ``IGNORED_JUMP_MAX`` is not followed at all: time goes on as it passes. A bigger one is a
*step*: from then on the moment is the clock's again, and the database moves what waits by as much
(docs/decisions/0019).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import NamedTuple

IGNORED_JUMP_MAX = timedelta(seconds=5)
_MS = timedelta(milliseconds=1)
_NONE = timedelta(0)


class ClockReading(NamedTuple):
    """``stepped`` is the sum of all steps so far. ``gap`` is how long the desk stood still before
    it was opened, as its clock says: a clock that was wrong by then looks just the same.
    ``astray`` is the sum of steps and gaps of earlier lives."""

    now: datetime
    stepped: timedelta
    gap: timedelta
    clock_offset: timedelta = _NONE

    @property
    def steady_now(self) -> datetime:
        """Where time would stand had it only passed, while the desk ran."""
        return self.now - self.stepped - self.gap - self.clock_offset


class Timekeeper:
    """Read from any thread. ``wall`` is the machine's clock, ``monotonic`` the seconds that have
    passed since some beginning; without it only a clock that was set back can be told."""

    def __init__(
        self, wall: Callable[[], datetime], monotonic: Callable[[], float] | None = None
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._lock = Lock()
        self._stepped = self._gap = self._clock_offset = _NONE
        self._mark = 0.0 if monotonic is None else monotonic()
        self._anchor = datetime.fromtimestamp(0, UTC) if monotonic is None else wall()

    def begin(self, newest: datetime | None, clock_offset: timedelta = _NONE) -> None:
        """Go on from the newest moment that is stored, ``None`` where there is none."""
        with self._lock:
            self._clock_offset = clock_offset
            if self._monotonic is not None:
                self._mark = self._monotonic()
            self._anchor = wall = self._wall()
            if newest is None:
                return
            if wall >= newest:
                self._gap = wall - newest
                return
            self._anchor = newest
        self.read()

    def now(self) -> datetime:
        return self.read().now

    def read(self) -> ClockReading:
        with self._lock:
            wall = self._wall()
            now = self._passed(wall)
            off = wall - now
            if not -IGNORED_JUMP_MAX <= off <= IGNORED_JUMP_MAX:
                step = off // _MS * _MS  # what is stored is in milliseconds, and moves by as many
                now += step
                self._anchor += step
                self._stepped += step
            if self._monotonic is None:
                self._anchor = now
            return ClockReading(now, self._stepped, self._gap, self._clock_offset)

    def _passed(self, wall: datetime) -> datetime:
        """By what has passed since the anchor, whatever the clock says."""
        if self._monotonic is None:
            return max(self._anchor, wall)
        return self._anchor + timedelta(seconds=self._monotonic() - self._mark)
