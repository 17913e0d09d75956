"""Fixtures for the tests in this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kit.float_buyer import FloatBuyer
from tests.kit.restored_store import OPEN, Old


@pytest.fixture
def old(tmp_path: Path) -> Old:
    return Old(tmp_path / "old.db")


@pytest.fixture
def buyer(old: Old) -> FloatBuyer:
    buyer = FloatBuyer(old)
    buyer.fund()
    return buyer


@pytest.fixture(autouse=True)
async def _nothing_stays_open() -> AsyncIterator[None]:
    """Close what a failed test left open; its threads would keep the test run from ending."""
    yield
    while OPEN:
        await OPEN.pop().close()
