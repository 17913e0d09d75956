"""Fixtures for the tests in this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.simulation.clock import VirtualClock
from storage.sqlite.database import Database
from tests.kit.blank_file import blank_file
from tests.kit.outbox_harness import OutboxHarness


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def harness(tmp_path: Path, clock: VirtualClock) -> AsyncIterator[OutboxHarness]:
    database = await Database.open(blank_file(tmp_path / "hazina.db"), clock.now)
    harness = OutboxHarness(database, clock)
    yield harness
    await harness.sender.stop()
    await harness.settle()
    await database.close()
