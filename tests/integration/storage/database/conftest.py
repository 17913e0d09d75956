"""Fixtures for the tests in this folder."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from storage.sqlite.database import Database
from tests.kit.held_writer import Box
from tests.kit.stopwatch import Stopwatch


@pytest.fixture(autouse=True)
def stopwatch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    watch = Stopwatch()
    clock = SimpleNamespace(monotonic=watch.monotonic, sleep=time.sleep)
    monkeypatch.setattr("storage.sqlite.batch.time", clock)
    return watch


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "hazina.db")


@pytest.fixture
async def database(box: Box) -> AsyncIterator[Database]:
    async with box.opened() as database:
        yield database
