"""Fixtures for the tests in this folder."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import httpx
import pytest

from bot.simulation.clock import VirtualClock
from bot.simulation.ncba.bank import SimulatedBank
from tests.kit.bank_caller import Caller


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    clock = VirtualClock()
    bank = SimulatedBank(clock, random.Random(1))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(bank), headers={"User-Agent": "Hazina/0.1"}
    ) as client:
        caller = Caller(bank, clock, client)
        caller.token = (await caller.ask_token()).json()["access_token"]
        yield caller
