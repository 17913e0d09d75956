"""The scheduler's ``Alarm`` on the virtual clock: the same scanners, woken as time is moved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from bot.simulation.clock import Timer, VirtualClock


class VirtualAlarm:
    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._timers: dict[str, Timer] = {}

    def start(self) -> None:
        """Nothing to start: the virtual clock already exists."""

    def set(self, name: str, wait: timedelta, action: Callable[[], None]) -> None:
        if name in self._timers:
            self._timers[name].cancel()
        self._timers[name] = self._clock.call_at(self._clock.true_now() + wait, action)

    def stop(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
