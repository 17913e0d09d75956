"""Fixtures for the tests in this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.payout_payer import PayoutPayer
from tests.kit.plain_store import PlainStore


@pytest.fixture
def payer(fresh_store: PlainStore) -> Iterator[PayoutPayer]:
    payer = PayoutPayer(fresh_store)
    payer.fund()
    payer.lift_the_limit_of_new_numbers()
    yield payer
    assert fresh_store.tx.invariants.violations() == []
