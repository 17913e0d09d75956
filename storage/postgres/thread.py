"""A connection on a thread of its own, which nothing cancels.

A cancelled COMMIT that waits for a standby counts as done although it is on one machine only
(facts: postgres 7), so a function that has begun runs to its end whoever stops waiting for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from storage.postgres.connection import PostgresConnection
from storage.readers import WorkEnded

T = TypeVar("T")


class ThreadConnection:
    def __init__(self, raw: PostgresConnection, name: str) -> None:
        self.raw = raw
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    def queue(self, function: Callable[[], None], ended: WorkEnded) -> None:
        """Run ``function`` on the thread, and report to ``ended``."""

        def work() -> None:
            try:
                function()
            finally:
                ended.get_loop().call_soon_threadsafe(ended.set_result, None)

        self._thread.submit(work)

    async def close(self) -> None:
        await self.run(self.raw.close)
        self._thread.shutdown()


class InlineConnection:
    """Without a thread: each function has run when the call returns. For simulations, which must be
    deterministic."""

    def __init__(self, raw: PostgresConnection) -> None:
        self.raw = raw

    async def run(self, function: Callable[[], T]) -> T:
        return function()

    async def close(self) -> None:
        self.raw.close()
