"""Fixtures for the tests in this folder."""

from __future__ import annotations

import pytest

from tests.kit.plain_store import PlainStore
from tests.kit.topup_driver import (
    TopUpDriver,
)


@pytest.fixture
def worker(fresh_store: PlainStore) -> TopUpDriver:
    return TopUpDriver(fresh_store)
