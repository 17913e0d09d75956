"""Fixtures for the tests in this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from services.gateways.openbanking.float_bank import (
    OpenBankingFloat,
)
from tests.kit.openbanking import CREDENTIALS, FloatBankSetup
from tests.kit.recorded_bank import recorded_bank


@pytest.fixture
async def float_bank() -> AsyncIterator[FloatBankSetup]:
    async with recorded_bank() as bank:
        gateway = OpenBankingFloat(bank.client, bank.clock, CREDENTIALS)
        yield FloatBankSetup(bank.clock, bank.bank, gateway, bank.requests)
