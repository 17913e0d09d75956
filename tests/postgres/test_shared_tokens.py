"""Processes on one database share the bank's tokens: whatever happens, none ends another's for
nothing."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest

from bot.clock import DatabaseClock, SystemClock
from bot.security.keyring import Keyring
from services.gateways.shared_tokens import SharedTokens
from storage.postgres.database import Database
from storage.postgres.simulated import ServedDatabase
from tests.kit.token_bank import TokenBank

pytestmark = pytest.mark.postgres


def now() -> datetime:
    return datetime.now(UTC)


async def test_each_refused_token_is_replaced_once(served: ServedDatabase) -> None:
    bank, chance, keys = TokenBank(), random.Random(1), Keyring({"1": bytes(32)})
    async with AsyncExitStack() as stack:
        holders = []
        for number in range(3):
            database = await Database.open(served.address, now, shared=True)
            stack.push_async_callback(database.close)
            clock = DatabaseClock(SystemClock(), database.time)
            keeper = SharedTokens(database, clock, keys, "bank 1", f"process {number}")
            holders.append(bank.holder(clock, keeper))
        for revoked in range(15):
            many = [chance.choice(holders) for _ in range(chance.randrange(1, 12))]
            assert all(await asyncio.gather(*(bank.call(holder) for holder in many)))
            assert (bank.given, bank.most_asking) == (revoked + 1, 1)
            bank.revoke()
