"""A database and a virtual clock, moved together for tests of background work."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.simulation.clock import VirtualClock
from storage.sqlite.database import Database


class DatabaseOnClock:
    """A database and clock that outlive the workers a test starts and stops on them."""

    def __init__(self, database: Database, clock: VirtualClock) -> None:
        self.database = database
        self.clock = clock

    async def settle(self) -> None:
        """Run until everything left waits for the clock or for the test."""
        ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
        while True:
            await asyncio.sleep(0)
            if not ready and self.database.in_flight == 0:
                return
            if not ready:
                await asyncio.sleep(0.0002)

    async def advance(self, seconds: float) -> None:
        """Jump from one due timer to the next, up to and including the end."""
        end = self.clock.now() + timedelta(seconds=seconds)
        await self.settle()
        while (due := self.clock.next_due()) is not None and due <= end:
            self.clock.jump(due)
            await self.settle()
        self.clock.jump(end)
        await self.settle()
