"""Moves a ``VirtualClock`` for tests that run without the script runner."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from bot.simulation.clock import VirtualClock

T = TypeVar("T")
_TURNS = 200  # more event loop turns than an HTTP call through ASGI and its client needs


async def settle() -> None:
    """Let everything run that can run without time passing."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)


async def advance(clock: VirtualClock, seconds: float) -> None:
    """Jump from one due time to the next, up to and including the end."""
    end = clock.now() + timedelta(seconds=seconds)
    await settle()
    while (due := clock.next_due()) is not None and due <= end:
        clock.jump(due)
        await settle()
    clock.jump(end)
    await settle()


async def run(clock: VirtualClock, work: Coroutine[Any, Any, T]) -> T:
    """Run ``work`` to its end, moving the clock whenever nothing else can run."""
    task = asyncio.ensure_future(work)
    await settle()
    while not task.done():
        due = clock.next_due()
        assert due is not None, "it waits for something that no timer will bring"
        clock.jump(due)
        await settle()
    return task.result()
