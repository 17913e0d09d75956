"""Fixtures for the tests in this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from services.gateways.ncba.collections import NcbaCollections
from tests.kit.ncba_collections import CREDENTIALS, CollectionsSetup
from tests.kit.recorded_bank import recorded_bank


@pytest.fixture
async def collections() -> AsyncIterator[CollectionsSetup]:
    async with recorded_bank() as bank:
        gateway = NcbaCollections(bank.client, bank.clock, CREDENTIALS)
        yield CollectionsSetup(bank.clock, bank.bank, gateway, bank.requests)
