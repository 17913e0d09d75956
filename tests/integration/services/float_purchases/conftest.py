"""Fixtures for the tests in this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.domain.fees import FeeKind
from tests.kit.float_buyer import (
    FloatBuyer,
)
from tests.kit.plain_store import PlainStore


@pytest.fixture
def buyer(fresh_store: PlainStore) -> Iterator[FloatBuyer]:
    buyer = FloatBuyer(fresh_store)
    buyer.fund()
    buyer.fee(FeeKind.TRANSFER, fixed=5_000)
    buyer.fee(FeeKind.PROCESSING, ppm=1_000)
    yield buyer
    assert fresh_store.tx.invariants.violations() == []
