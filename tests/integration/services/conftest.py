"""Fixtures for the tests in this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.partner_team import PartnerTeam
from tests.kit.plain_store import PlainStore


@pytest.fixture
def team(store: PlainStore) -> Iterator[PartnerTeam]:
    yield PartnerTeam(store)
    store.undo()
