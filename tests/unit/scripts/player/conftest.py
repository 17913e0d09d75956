"""Fixtures for the tests in this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.playhouse import Playhouse


@pytest.fixture
def house(tmp_path: Path) -> Playhouse:
    return Playhouse(tmp_path)
