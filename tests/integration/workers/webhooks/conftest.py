from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.simulation.clock import VirtualClock
from storage.sqlite.database import Database
from tests.kit.blank_file import blank_file
from tests.kit.webhook_desk import WebhookDesk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[WebhookDesk]:
    clock = VirtualClock()
    database = await Database.open(
        blank_file(tmp_path / "hazina.db"), clock.now, monotonic=clock.monotonic, threads=False
    )
    desk = WebhookDesk(database, clock)
    await desk.seed()
    await desk.start()
    yield desk
    await desk.stop()
    await database.close()
