"""Fixtures for the tests in this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.simulation.clock import VirtualClock
from tests.kit.code_delivery import ADDRESS, CodeDelivery, seed
from tests.kit.open_databases import open_database


@pytest.fixture
async def delivery(tmp_path: Path) -> AsyncIterator[CodeDelivery]:
    clock = VirtualClock()
    async with open_database(tmp_path / "hazina.db", clock.now) as database:
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
