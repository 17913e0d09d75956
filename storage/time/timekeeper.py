"""The service's own time: the machine's clock, ignoring small jumps and counting large ones.

Setting the clock would shift every deadline and counting window. A jump of at most
``IGNORED_JUMP_MAX`` is therefore not followed: time advances by what has elapsed. A larger one is a
*step*: time follows the clock again, and the database shifts pending times by the same amount
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
    """``stepped`` is the sum of all steps so far. ``gap`` is how long the service was down before
    it was opened, by its clock; a clock that was wrong by that much looks the same.
    ``clock_offset`` is the sum of steps and gaps of earlier runs."""

    now: datetime
    stepped: timedelta
    gap: timedelta
    clock_offset: timedelta = _NONE

    @property
    def steady_now(self) -> datetime:
        """The time without steps and downtime."""
        return self.now - self.stepped - self.gap - self.clock_offset


class Timekeeper:
    """Readable from any thread. ``wall`` is the machine's clock and ``monotonic`` counts elapsed
    seconds; without it only a clock set back can be detected."""

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
        """Continue from the newest stored time, ``None`` if there is none."""
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
                step = off // _MS * _MS  # stored times are in milliseconds and shift by whole ones
                now += step
                self._anchor += step
                self._stepped += step
            if self._monotonic is None:
                self._anchor = now
            return ClockReading(now, self._stepped, self._gap, self._clock_offset)

    def _passed(self, wall: datetime) -> datetime:
        """The time by what has elapsed since the anchor, whatever the clock says."""
        if self._monotonic is None:
            return max(self._anchor, wall)
        return self._anchor + timedelta(seconds=self._monotonic() - self._mark)
