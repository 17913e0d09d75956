"""Each test in this folder runs for every kind of operation, and for a toy kind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from bot.simulation.clock import VirtualClock
from services.domain.money import Money
from storage.sqlite.database import Database
from tests.kit.blank_file import blank_file
from tests.kit.float_harness import FloatHarness
from tests.kit.money_harness import MoneyHarness
from tests.kit.topup_harness import TopUpHarness
from tests.kit.toy_harness import ToyHarness
from tests.kit.worker_harness import add_finsafe

KINDS: Mapping[str, type[TopUpHarness] | type[FloatHarness] | type[ToyHarness]] = {
    "top-up": TopUpHarness,
    "float purchase": FloatHarness,
    "toy": ToyHarness,
}


@pytest.fixture(params=KINDS)
async def harness(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MoneyHarness]:
    clock = VirtualClock()
    database = await Database.open(blank_file(tmp_path / "hazina.db"), clock.now)
    await database.write(lambda tx: add_finsafe(tx, wallet=Money(10_000_000)))
    harness = KINDS[request.param](database, clock)
    yield harness
    await harness.worker.stop(grace_s=0)
    await harness.settle()
    assert await database.read(lambda tx: tx.invariants.violations()) == []
    await database.close()
