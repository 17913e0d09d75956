"""The simulated bank behind an HTTP client that records every request."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from bot.simulation.clock import VirtualClock
from bot.simulation.ncba.bank import SimulatedBank


@dataclass
class RecordedBank:
    clock: VirtualClock
    bank: SimulatedBank
    client: httpx.AsyncClient
    requests: list[httpx.Request] = field(default_factory=list)


@asynccontextmanager
async def recorded_bank() -> AsyncIterator[RecordedBank]:
    clock = VirtualClock()
    bank = SimulatedBank(clock, random.Random(1))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(bank)) as client:
        recorded = RecordedBank(clock, bank, client)

        async def record(request: httpx.Request) -> None:
            recorded.requests.append(request)

        client.event_hooks = {"request": [record]}
        yield recorded
