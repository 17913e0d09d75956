"""``hazina bench api``: calls of the HTTP API, each beside a peer of the same run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from bot.bench.api import balance, events, topup, waits
from bot.bench.report import Comparison


async def measure(
    callers: int, seconds: float, pairs: int, waiting: int, sent: int, within: Path | None
) -> AsyncIterator[Comparison]:
    """``callers`` at once, ``seconds`` a run, ``waiting`` calls that wait, ``sent`` events."""
    for cases in (
        balance.measure(callers, seconds, pairs, within),
        topup.measure(callers, seconds, pairs, within),
        waits.measure(waiting, seconds, pairs, within),
        events.measure(sent, within),
    ):
        async for case in cases:
            yield case
