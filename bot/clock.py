"""The system clock, the clock the program runs on, and real randomness."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import cast

from services.ports import Clock, Random
from services.ports.database import DatabaseTime

# Counts time while the machine sleeps, on systems that have such a clock.
_ELAPSED_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    """``services.ports.Clock`` on the system's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.clock_gettime(_ELAPSED_CLOCK)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))

    def deadline(self, seconds: float) -> AbstractAsyncContextManager[None]:
        return cast("AbstractAsyncContextManager[None]", asyncio.timeout(seconds))


class DatabaseClock:
    """``services.ports.Clock``: the system's, but ``now`` is the time the database runs on."""

    def __init__(self, machine: Clock, time: DatabaseTime) -> None:
        self.now = time.now
        self.monotonic = machine.monotonic
        self.sleep = machine.sleep
        self.deadline = machine.deadline


def system_random() -> Random:
    """The operating system's randomness: unseeded and unpredictable."""
    return random.SystemRandom()
