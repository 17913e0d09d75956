"""Virtual time: it moves only when told to, so a day passes in milliseconds and is reproducible."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import TracebackType

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)  # a Monday, 09:00 in Nairobi
_RESOLUTION = timedelta(microseconds=1)


class Timer:
    """A moment in true time that something waits for."""

    __slots__ = ("action", "cancelled", "when")

    def __init__(self, when: datetime, action: Callable[[], None]) -> None:
        self.when = when
        self.action = action
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Deadline:
    """``asyncio.timeout`` on the virtual clock."""

    def __init__(self, clock: VirtualClock, seconds: float) -> None:
        self._clock = clock
        self._ends_at = clock.true.now() + timedelta(seconds=seconds)
        self._limit = asyncio.timeout(None)

    async def __aenter__(self) -> None:
        await self._limit.__aenter__()
        self._timer = self._clock.call_at(self._ends_at, self._end, first=True)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        await self._limit.__aexit__(kind, error, at)

    def _end(self) -> None:
        self._limit.reschedule(asyncio.get_running_loop().time())


class VirtualClock:
    """``services.ports.Clock`` that stands still until ``jump``.

    ``now`` is the time the machine's clock shows, which can be changed by ``step``. ``true`` is the
    outside's clock, and timers follow it. Among timers due at the same moment, deadlines fire
    first, so a call that would finish exactly at its limit times out; the rest fire in the order
    they were set.
    """

    def __init__(self, start: datetime = START) -> None:
        self._start = self._true = self._shown = start
        self._passed = 0.0
        # Sorted by moment, class and order of setting. Moments are numbers because comparing aware
        # datetimes is slow.
        self._timers: list[tuple[int, int, int, Timer]] = []
        self._count = 0
        self.true = TrueClock(self)

    def now(self) -> datetime:
        return self._shown

    def true_now(self) -> datetime:
        return self._true

    def monotonic(self) -> float:
        return self._passed

    def call_at(self, when: datetime, action: Callable[[], None], *, first: bool = False) -> Timer:
        """Run ``action`` when true time reaches ``moment``; ``first`` puts it ahead of others due
        then.
        """
        timer = Timer(max(when, self._true), action)
        self._count += 1
        at = (timer.when - START) // _RESOLUTION
        heapq.heappush(self._timers, (at, 0 if first else 1, self._count, timer))
        return timer

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        done = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not done.done():
                done.set_result(None)

        timer = self.call_at(self._true + timedelta(seconds=seconds), wake)
        try:
            await done
        finally:
            timer.cancel()

    def deadline(self, seconds: float) -> Deadline:
        return Deadline(self, seconds)

    def next_due(self) -> datetime | None:
        """When the next timer is due; ``None`` without timers."""
        while self._timers and self._timers[0][3].cancelled:
            heapq.heappop(self._timers)
        return self._timers[0][3].when if self._timers else None

    def step(self, seconds: float) -> None:
        """Set the machine's clock forward or back; true time does not change."""
        self._shown += timedelta(seconds=seconds)

    def jump(self, moment: datetime) -> None:
        """Move true time to ``moment`` and fire the first group of timers due then.

        A group is one priority, so that a deadline takes full effect before a sleep that ends at
        the same moment. The caller lets the event loop settle and calls again.
        """
        if moment > self._true:
            self._shown += moment - self._true
            self._true = moment
            self._passed = (moment - self._start).total_seconds()
        due = self.next_due()
        if due is None or due > self._true:
            return
        first = self._timers[0][:2]
        group: list[Timer] = []
        while self._timers and self._timers[0][:2] == first:
            group.append(heapq.heappop(self._timers)[3])
        for timer in group:
            if not timer.cancelled:
                timer.action()


class TrueClock:
    """``services.ports.Clock`` for banks, handsets and everything else outside our machine."""

    def __init__(self, clock: VirtualClock) -> None:
        self.now = clock.true_now
        self.monotonic = clock.monotonic
        self.sleep = clock.sleep
        self.deadline = clock.deadline
