"""``bot.jobs.Alarm`` on the virtual clock: the same scanners, woken by time that is moved."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from bot.simulator.clock import Timer, VirtualClock


class VirtualAlarm:
    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._timers: dict[str, Timer] = {}
        self._woken: set[asyncio.Future[None]] = set()

    def start(self) -> None:
        """Nothing to start: the clock is there already."""

    def set(self, name: str, when: datetime, action: Callable[[], Awaitable[None]]) -> None:
        def ring() -> None:
            woken = asyncio.ensure_future(action())
            self._woken.add(woken)
            woken.add_done_callback(self._woken.discard)

        if name in self._timers:
            self._timers[name].cancel()
        self._timers[name] = self._clock.call_at(when, ring)

    def stop(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
