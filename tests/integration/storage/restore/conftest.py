"""Fixtures of the tests beside it."""

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
    """A test that fails leaves no thread behind, which would keep the whole run from ending."""
    yield
    while OPEN:
        await OPEN.pop().close()
