"""Fixtures for the tests in this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.piped_sim import CREDENTIALS


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
