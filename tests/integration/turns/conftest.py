"""Fixtures for the tests in this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.simulation.clock import VirtualClock
from storage.sqlite.database import Database
from tests.kit.blank_file import blank_file
from tests.kit.turns_on_database import (
    TurnRunner,
    seed,
)


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[TurnRunner]:
    database = await Database.open(blank_file(tmp_path / "hazina.db"), VirtualClock().now)
    await database.write(seed)
    yield TurnRunner(database)
    await database.close()
