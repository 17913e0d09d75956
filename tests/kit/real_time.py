"""Waiting in tests of real sockets and processes, whose time a test cannot control."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(happened: Callable[[], bool]) -> None:
    """Wait at most 20 seconds of real time."""
    for _ in range(4000):
        if happened():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not happen")
