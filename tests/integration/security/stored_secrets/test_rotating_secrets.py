"""Credentials are resealed with another key, or removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.security.stored_secrets import (
    secret_values,
    with_stored_secrets,
)
from bot.settings import Settings
from tests.kit.secret_commands import NEW, OLD, OTHER, VALUE, changed, hazina, kept, rows


def test_after_a_rotation_the_old_key_is_not_needed(
    database: Path, env: pytest.MonkeyPatch
) -> None:
    kept()
    kept("SMTP_PASSWORD", OTHER)
    env.setenv("HAZINA_KEYS", f"{NEW},{OLD}")
    assert hazina("secrets", "rotate").output == "2 sealed with key 2\n"
    env.setenv("HAZINA_KEYS", NEW)
    assert set(secret_values(with_stored_secrets(Settings()))) >= {VALUE, OTHER}
    assert all(sealed.startswith("2:") for sealed in rows(database).values())


def test_a_rotation_does_not_change_when_a_value_was_set(env: pytest.MonkeyPatch) -> None:
    kept()
    changed(Path("hazina.db"), "UPDATE secrets SET set_at = 1767225600000")
    assert hazina("secrets", "rotate").exit_code == 0
    assert "set 2026-01-01 00:00 UTC" in hazina("secrets", "list").output


def test_a_rotation_that_cannot_open_one_changes_none(
    database: Path, env: pytest.MonkeyPatch
) -> None:
    kept("SMTP_PASSWORD", OTHER)
    env.setenv("HAZINA_KEYS", NEW)
    kept()
    before = rows(database)
    result = hazina("secrets", "rotate")
    assert result.exit_code == 2
    assert "SMTP_PASSWORD is sealed with key 1, which is not among the keys" in result.output
    assert rows(database) == before


def test_a_rotation_of_nothing_says_so(tmp_path: Path) -> None:
    assert hazina("secrets", "rotate").output == "no secret is in the database\n"
    assert list(tmp_path.iterdir()) == []


def test_what_is_removed_is_missing(database: Path, env: pytest.MonkeyPatch) -> None:
    kept()
    assert hazina("secrets", "remove", "NCBA_PASSWORD").exit_code == 0
    assert rows(database) == {}
    assert with_stored_secrets(Settings()).ncba_password is None


def test_removing_what_is_not_there_is_refused_with_what_is() -> None:
    kept()
    result = hazina("secrets", "remove", VALUE)
    assert result.exit_code == 2
    assert "NCBA_PASSWORD" in result.output
    assert VALUE not in result.output
