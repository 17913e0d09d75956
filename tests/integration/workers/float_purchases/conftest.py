"""Fixtures for the tests in this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.simulation.clock import VirtualClock
from services.domain.money import Money
from storage.sqlite.database import Database
from tests.kit.blank_file import blank_file
from tests.kit.float_harness import FloatHarness
from tests.kit.worker_harness import add_finsafe


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[FloatHarness]:
    clock = VirtualClock()
    database = await Database.open(blank_file(tmp_path / "hazina.db"), clock.now)
    await database.write(lambda tx: add_finsafe(tx, wallet=Money(10_000_000)))
    harness = FloatHarness(database, clock)
    yield harness
    await harness.worker.stop(grace_s=0)
    await harness.settle()
    assert await database.read(lambda tx: tx.invariants.violations()) == []
    await database.close()
