"""``hazina sim`` does not start if credentials of real services are set."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.simulation.settings import CREDENTIALS, reason_not_to_start


@pytest.mark.parametrize("name", CREDENTIALS)
@pytest.mark.parametrize("where", ["environment", ".env"])
def test_credentials_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, where: str
) -> None:
    if where == ".env":
        (tmp_path / ".env").write_text(f"LOG_LEVEL=loud\n{name}=secret-9\n")
    else:
        monkeypatch.setenv(name.lower(), "secret-9")
    refused = reason_not_to_start()
    assert refused is not None
    assert name in refused
    assert where in refused
    assert "secret-9" not in refused
    assert "\n" not in refused


def test_those_of_every_service_count() -> None:
    assert {
        "NCBA_PASSWORD",
        "DARAJA_CONSUMER_KEY",
        "DARAJA_CONSUMER_SECRET",
        "DARAJA_SECURITY_CREDENTIAL",
        "DARAJA_INITIATOR_PASSWORD",
    } <= set(CREDENTIALS)


def test_empty_credentials_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("TELEGRAM_BOT_TOKEN=\nNCBA_PASSWORD=''\nDATABASE=x.db\n")
    monkeypatch.setenv("NCBA_USERNAME", "")
    assert reason_not_to_start() is None


def test_unreadable_env_file_is_not_overlooked(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe")
    assert "cannot be read" in (reason_not_to_start() or "")
