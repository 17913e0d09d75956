"""Fixtures for the tests in this folder."""

from __future__ import annotations

import pytest

from tests.kit.daraja_caller import DarajaCaller


@pytest.fixture
async def caller() -> DarajaCaller:
    caller = DarajaCaller()
    await caller.log_in()
    return caller
