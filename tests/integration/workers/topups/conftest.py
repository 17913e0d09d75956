"""Fixtures for the tests in this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.simulation.clock import VirtualClock
from storage.sqlite.database import Database
from tests.kit.blank_file import blank_file
from tests.kit.topup_harness import TopUpHarness
from tests.kit.worker_harness import add_finsafe


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[TopUpHarness]:
    clock = VirtualClock()
    database = await Database.open(blank_file(tmp_path / "hazina.db"), clock.now)
    await database.write(add_finsafe)
    harness = TopUpHarness(database, clock)
    yield harness
    await harness.worker.stop(grace_s=0)
    await database.close()
