"""The real clock and real randomness."""

from __future__ import annotations

import asyncio
import random
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import cast

from services.ports import Random


class SystemClock:
    """``services.ports.Clock`` on the machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))

    def deadline(self, seconds: float) -> AbstractAsyncContextManager[None]:
        return cast("AbstractAsyncContextManager[None]", asyncio.timeout(seconds))


def system_random() -> Random:
    """The operating system's randomness: nothing to seed, nothing to guess."""
    return random.SystemRandom()
