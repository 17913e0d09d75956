"""Fixtures for the tests in this folder."""

from __future__ import annotations

import pytest

from tests.kit.daraja_gateway import DarajaDesk


@pytest.fixture
async def desk() -> DarajaDesk:
    return DarajaDesk()
