"""Fixtures for the tests in this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.batch_sender import BatchSender
from tests.kit.plain_store import PlainStore


@pytest.fixture
def sender(fresh_store: PlainStore) -> Iterator[BatchSender]:
    sender = BatchSender(fresh_store)
    sender.fund()
    yield sender
    assert fresh_store.tx.invariants.violations() == []
