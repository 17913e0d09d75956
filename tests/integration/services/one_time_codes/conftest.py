"""Fixtures for the tests in this folder."""

import pytest

from tests.kit.one_time_codes import Codes
from tests.kit.plain_store import PlainStore


@pytest.fixture
def codes(fresh_store: PlainStore) -> Codes:
    return Codes(fresh_store)
