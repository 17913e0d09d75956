"""Fixtures for the tests in this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.security import backup
from storage.sqlite.empty_database import empty_database
from tests.kit.stopped_desk import AT, change


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """The database of a stopped program, with one event in it."""
    path = tmp_path / "desk" / "hazina.db"
    path.parent.mkdir()
    path.write_bytes(empty_database())
    change("INSERT INTO events (channel, event_id, decided_at) VALUES ('telegram', '0', 1)", path)
    return path


@pytest.fixture
def made(database: Path, tmp_path: Path) -> Path:
    return backup.make(database, tmp_path / "backups", {}, AT)
