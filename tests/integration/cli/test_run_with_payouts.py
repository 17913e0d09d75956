"""``hazina run`` seals the password of Daraja's API user before it serves, or says why not."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from bot.cli.main import main
from bot.security.stored_secrets import secret_values
from bot.settings import Settings
from bot.simulation.daraja.security_credential import certificate_pem, password_in
from tests.kit.payout_settings import PASSWORD, WITH_PASSWORD


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run in an empty folder and environment, and restore logging afterwards."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    seen: list[Settings] = []

    async def serve(settings: Settings) -> None:
        seen.append(settings)

    monkeypatch.setattr("bot.serving.serve.serve", serve)
    return seen


def hazina_run() -> Result:
    return CliRunner().invoke(main, ["run"], env=WITH_PASSWORD)


def test_what_serves_has_the_sealed_password_alone(tmp_path: Path, served: list[Settings]) -> None:
    (tmp_path / "mpesa.cer").write_bytes(certificate_pem())
    result = hazina_run()
    assert result.exit_code == 0, result.output
    (settings,) = served
    assert PASSWORD not in secret_values(settings)
    assert settings.daraja_security_credential is not None
    assert password_in(settings.daraja_security_credential.get_secret_value()) == PASSWORD


@pytest.mark.parametrize("content", [None, b"-----BEGIN CERTIFICATE-----\nkahawa\n"])
def test_a_certificate_that_cannot_be_used_is_one_line(
    tmp_path: Path, served: list[Settings], content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "mpesa.cer").write_bytes(content)
    result = hazina_run()
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("DARAJA_CERTIFICATE: mpesa.cer is no ")
    assert served == []
