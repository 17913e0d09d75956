"""A stand-in for the code behind an HTTP route, for tests of the route alone."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class RecordingHandler(Generic[T]):
    """Records its input; waits while ``free`` is cleared, and fails ``failures_left`` times."""

    def __init__(self) -> None:
        self.taken: list[T] = []
        self.failures_left = 0
        self.free = asyncio.Event()
        self.free.set()

    async def take(self, given: T) -> None:
        await self.free.wait()
        if self.failures_left:
            self.failures_left -= 1
            raise OSError(f"the database is gone, with {given}")
        self.taken.append(given)
