"""Fixtures for the tests in this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from storage.invariants import invariant_violations
from tests.kit.evidence_bank import (
    Bank,
)
from tests.kit.plain_store import PlainStore


@pytest.fixture
def bank(fresh_store: PlainStore) -> Iterator[Bank]:
    yield Bank(fresh_store)
    assert list(invariant_violations(fresh_store.conn)) == []
