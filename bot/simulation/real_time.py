"""Lets a world's clock run with the real one."""

from __future__ import annotations

import time

from bot.simulation.world import World

TICK_S = 0.05  # real seconds between clock updates


class RealTime:
    def __init__(self, world: World) -> None:
        self._world = world
        self._followed_at = time.monotonic()

    def skip(self) -> None:
        """The real time until now does not pass in the world."""
        self._followed_at = time.monotonic()

    async def follow(self) -> None:
        """Let the real time since the last call pass in the world, with all that falls due."""
        now = time.monotonic()
        elapsed, self._followed_at = now - self._followed_at, now
        await self._world.advance(elapsed)
