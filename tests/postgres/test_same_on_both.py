"""The same events have the same answers, bookings, balances and audit log on both engines.

The events are a storm's: people in chats and on phones, partners' systems, prompts, purchases,
payouts, what the bank and M-PESA say, and crashes. Each follows from what was answered before it,
so that one difference leads to many.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing

import pytest

from bot.database import simulated_databases
from services.domain.database import DatabaseServer
from services.ports.simulated_databases import SimulatedDatabase
from tests.kit.postgres_server import postgres_server
from tests.kit.storm_outcome import Outcome, difference, play

pytestmark = pytest.mark.postgres

HOURS, PARTNERS = 2, 3
# Rows that nothing orders come in another order when they are found in another way.
WITHOUT_INDEXES = "-c%20enable_indexscan%3Doff%20-c%20enable_bitmapscan%3Doff"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres_server() as server:
        yield server.dsn


def told(database: SimulatedDatabase, seed: int) -> Outcome:
    with closing(database):
        return asyncio.run(play(database, seed, HOURS, PARTNERS))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("options", ["", f"&options={WITHOUT_INDEXES}"], ids=["", "no index"])
def test_the_same_story_comes_to_the_same_end(server: str, options: str, seed: int) -> None:
    in_file = told(simulated_databases.in_memory(), seed)
    on_server = told(simulated_databases.on_server(DatabaseServer(f"{server}{options}")), seed)
    assert difference(in_file, on_server) == ""
    assert len(in_file.said) > 200
    assert len(in_file.stored["transfers"]) > 20
