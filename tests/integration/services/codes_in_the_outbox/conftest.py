"""Fixtures for the tests in this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.simulation.clock import VirtualClock
from storage.sqlite.database import Database
from tests.kit.code_delivery import ADDRESS, CodeDelivery, seed


@pytest.fixture
async def delivery(tmp_path: Path) -> AsyncIterator[CodeDelivery]:
    clock = VirtualClock()
    database = await Database.open(tmp_path / "hazina.db", clock.now)
    await database.write(seed(ADDRESS))
    delivery = CodeDelivery(database, clock)
    with capture_logs() as logs:
        yield delivery
        await delivery.sender.stop()
        await delivery.settle()
    assert not any(code in str(logs) for code in delivery.codes)
    for channel in (delivery.chat, delivery.sms, delivery.mail):
        assert (channel.documents, channel.deleted) == ([], [])
        assert list(channel.messages.values()) == channel.texts, "none was edited"
    assert await database.read(lambda tx: tx.invariants.violations()) == []
    await database.close()
