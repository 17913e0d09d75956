"""Rate limits: per chat, and overall, where the most urgent messages go first."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from services.ports import Clock

ROUNDING_S = 1e-6  # sums of seconds are inexact: shorter waits count as none


@dataclass(frozen=True, slots=True)
class MessageRates:
    """Messages per second, and bursts; ``None`` is no limit (facts: channels, Telegram)."""

    per_chat: float | None = 1.0
    overall: float | None = 30.0
    burst: int = 3
    burst_overall: int = 30


class RateLimiter:
    """Allows ``rate`` per second, and ``burst`` at once; returns how many seconds the next must
    wait. Times are monotonic."""

    __slots__ = ("_burst", "_every", "_next")

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._every = 1 / rate
        self._burst = self._every * (burst - 1)
        self._next = now

    def wait(self, now: float) -> float:
        start = max(self._next, now)
        self._next = start + self._every
        wait = start - self._burst - now
        return wait if wait > ROUNDING_S else 0.0


class OverallRateLimiter:
    """One limit for all chats. The lowest rank goes first, and within a rank the longest wait."""

    def __init__(self, clock: Clock, rate: float, burst: int) -> None:
        self._clock = clock
        self._limiter = RateLimiter(rate, burst, clock.monotonic())
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = count()
        self._letting: asyncio.Task[None] | None = None

    def turn(self, rank: int) -> asyncio.Future[None] | None:
        """A future to wait for; ``None``: no need to wait."""
        if self._letting is None:
            wait = self._limiter.wait(self._clock.monotonic())
            if wait == 0.0:
                return None
            self._letting = asyncio.create_task(self._let(wait))
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.raise_priority(turn, rank)
        return turn

    def raise_priority(self, turn: asyncio.Future[None], rank: int) -> None:
        """Let ``turn`` come as early as this rank allows."""
        heappush(self._waiting, (rank, next(self._count), turn))

    def abort(self) -> None:
        if self._letting is not None:
            self._letting.cancel()

    async def _let(self, wait: float) -> None:
        try:
            while True:
                await self._clock.sleep(wait)
                self._forget_gone()
                if not self._waiting:
                    return
                _, _, turn = heappop(self._waiting)
                turn.set_result(None)
                self._forget_gone()
                if not self._waiting:
                    return
                wait = self._limiter.wait(self._clock.monotonic())
        finally:
            self._letting = None

    def _forget_gone(self) -> None:
        """Drop waits that were cancelled, or already ended under another rank."""
        while self._waiting and self._waiting[0][2].done():
            heappop(self._waiting)
