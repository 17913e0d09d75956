"""The real clock and real randomness, and the clock by which the desk goes."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import cast

from services.ports import Clock, Random
from storage.time.timekeeper import Timekeeper

# A machine that sleeps does not stop time; where the system has no such clock, its own will do.
_PASSED = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    """``services.ports.Clock`` on the machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.clock_gettime(_PASSED)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))

    def deadline(self, seconds: float) -> AbstractAsyncContextManager[None]:
        return cast("AbstractAsyncContextManager[None]", asyncio.timeout(seconds))


class DatabaseClock:
    """``services.ports.Clock``: the machine's, with the moment that the database goes by."""

    def __init__(self, machine: Clock, timekeeper: Timekeeper) -> None:
        self.now = timekeeper.now
        self.monotonic = machine.monotonic
        self.sleep = machine.sleep
        self.deadline = machine.deadline


def system_random() -> Random:
    """The operating system's randomness: nothing to seed, nothing to guess."""
    return random.SystemRandom()
