"""Scanners for a scheduler under test."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from bot.simulation.clock import VirtualClock


class Scanner:
    """Runs while it is held, and returns what the test set."""

    def __init__(self, clock: VirtualClock) -> None:
        self.times: list[datetime] = []
        self.due_in: timedelta | None = None
        self.faults, self.fault = 0, Exception("of the scan")
        self.hold: asyncio.Event | None = None
        self.running = 0
        self.most_running = 0
        self.ended = 0
        self._clock = clock

    async def scan(self) -> datetime | None:
        self.times.append(self._clock.now())
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            if self.hold is not None:
                await self.hold.wait()
            if self.faults:
                self.faults -= 1
                raise self.fault
        finally:
            self.running -= 1
        self.ended += 1
        return None if self.due_in is None else self._clock.now() + self.due_in
