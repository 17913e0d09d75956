"""Lets a world's clock run with the real one."""

from __future__ import annotations

import time
from collections.abc import Callable

from bot.simulation.world import World

TICK_S = 0.05  # real seconds between clock updates


class RealTime:
    """``monotonic`` tells the real seconds. With ``step_s`` time passes in multiples of it.
    ``before`` is told how many are about to pass."""

    def __init__(
        self,
        world: World,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        step_s: float | None = None,
        before: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._before = before
        self._world = world
        self._monotonic = monotonic
        self._step_s = step_s
        self._followed_at = monotonic()

    def skip(self) -> None:
        """The real time until now does not pass in the world."""
        self._followed_at = self._monotonic()

    async def follow(self) -> float:
        """Let the real time since the last call pass in the world, with all that falls due.
        Returns the seconds that have passed."""
        elapsed = self._monotonic() - self._followed_at
        if self._step_s is not None:
            elapsed -= elapsed % self._step_s
        self._followed_at += elapsed
        if elapsed > 0:
            self._before(elapsed)
            await self._world.advance(elapsed)
        return elapsed
