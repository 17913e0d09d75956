"""Lets a world's clock run with the real one."""

from __future__ import annotations

import time
from collections.abc import Callable

from bot.simulation.world import World

TICK_S = 0.05  # real seconds between clock updates


class RealTime:
    """``monotonic`` tells the real seconds."""

    def __init__(self, world: World, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._world = world
        self._monotonic = monotonic
        self._followed_at = monotonic()

    def skip(self) -> None:
        """The real time until now does not pass in the world."""
        self._followed_at = self._monotonic()

    async def follow(self) -> None:
        """Let the real time since the last call pass in the world, with all that falls due."""
        now = self._monotonic()
        elapsed, self._followed_at = now - self._followed_at, now
        await self._world.advance(elapsed)
