"""Fixtures for the tests in this folder."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.http.server.LATE_TICKS", 1)
