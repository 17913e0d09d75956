"""Fixtures of the tests beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.playhouse import Playhouse


@pytest.fixture
def house(tmp_path: Path) -> Playhouse:
    return Playhouse(tmp_path)
