"""Credentials sealed in the database count as settings."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog

from bot.missing_settings import missing_settings
from bot.security.keyring import key_file_beside
from bot.security.stored_secrets import (
    describe_secrets,
    secret_values,
    with_stored_secrets,
)
from bot.settings import Settings
from tests.kit.secret_commands import OTHER, PLAIN, VALUE, changed, hazina, kept


def test_the_environment_wins_and_the_list_says_so(env: pytest.MonkeyPatch) -> None:
    kept()
    env.setenv("NCBA_PASSWORD", OTHER)
    assert with_stored_secrets(Settings()).ncba_password == Settings().ncba_password
    assert "the environment has one too, which wins" in hazina("secrets", "list").output


def test_what_the_environment_says_stays_beside_what_is_opened(env: pytest.MonkeyPatch) -> None:
    kept()
    for name, value in PLAIN.items():
        env.setenv(name, value)
    settings = with_stored_secrets(Settings())
    assert missing_settings(settings) == []
    assert (settings.ncba_username, settings.ncba_account_number) == ("hazina", "774451")


def test_nothing_stored_makes_no_key(database: Path) -> None:
    assert with_stored_secrets(Settings()) == Settings()
    assert not key_file_beside(database).exists()


def test_a_database_from_before_the_table_has_none(database: Path) -> None:
    changed(database, "CREATE TABLE schema_migrations (number, name, checksum)")
    assert list(describe_secrets(Settings())) == []
    assert with_stored_secrets(Settings()) == Settings()


def test_a_run_has_what_is_sealed_and_its_log_knows_it(
    env: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept()
    kept("TELEGRAM_BOT_TOKEN", "123456:sealed")
    env.setenv("NCBA_USERNAME", "hazina")
    env.setenv("NCBA_ACCOUNT_NUMBER", "774451")
    seen: list[Settings] = []

    async def serve(settings: Settings) -> None:
        seen.append(settings)
        structlog.get_logger("x").info(f"it was {VALUE}")

    env.setattr("bot.serving.serve.serve", serve)
    result = hazina("run")
    assert result.exit_code == 0, result.output
    assert secret_values(seen[0])[:2] == ["123456:sealed", VALUE]
    assert "it was ***" in result.stderr


def test_a_doctor_misses_nothing_that_is_sealed(env: pytest.MonkeyPatch) -> None:
    for name, value in PLAIN.items():
        env.setenv(name, value)
    assert "WRONG NCBA_PASSWORD: is missing" in hazina("doctor", "--offline").output
    kept()
    result = hazina("doctor", "--offline")
    assert result.exit_code == 0
    assert "the database has NCBA_PASSWORD, and all can be opened" in result.output


def test_what_is_opened_shows_in_no_repr() -> None:
    kept()
    settings = with_stored_secrets(Settings())
    assert VALUE not in f"{settings!r} {settings} {settings.model_dump_json()}"
