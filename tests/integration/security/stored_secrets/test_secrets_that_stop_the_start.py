"""A credential that cannot be opened stops the start; the reason given does not show it."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from bot.security.keyring import key_file_beside, new_key
from bot.security.stored_secrets import (
    SecretsFault,
    with_stored_secrets,
)
from bot.settings import Settings
from tests.kit.secret_commands import NEW, OTHER, VALUE, changed, hazina, kept, rows


def refused() -> str:
    """The one line that `hazina run` prints; neither it nor the exception may show the value."""
    with pytest.raises(SecretsFault) as caught:
        with_stored_secrets(Settings())
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert VALUE not in told
    result = hazina("run")
    assert result.exit_code == 2
    (line,) = result.output.splitlines()
    assert line == str(caught.value)
    assert VALUE not in line
    return line


def test_a_key_that_is_gone_stops_the_start(env: pytest.MonkeyPatch) -> None:
    kept()
    env.setenv("HAZINA_KEYS", NEW)
    assert refused().startswith("NCBA_PASSWORD is sealed with key 1, which is not among the keys")
    result = hazina("doctor", "--offline")
    assert "WRONG secrets: NCBA_PASSWORD is sealed with key 1" in result.output


def test_another_key_of_the_same_name_stops_the_start(env: pytest.MonkeyPatch) -> None:
    kept()
    env.setenv("HAZINA_KEYS", new_key("1"))
    assert "NCBA_PASSWORD is sealed with key 1, and that key does not open it" in refused()


def test_a_key_file_that_is_gone_stops_the_start_and_is_not_made_anew(database: Path) -> None:
    kept()
    key_file_beside(database).unlink()
    line = refused()
    assert line.startswith("NCBA_PASSWORD is sealed with key 1: ")
    assert "hazina.db.keys is not there" in line
    assert not key_file_beside(database).exists()


def test_a_key_file_that_others_may_read_stops_the_start(database: Path) -> None:
    kept()
    key_file_beside(database).chmod(0o644)
    assert "chmod 600" in refused()
    assert hazina("secrets", "set", "SMTP_PASSWORD", typed=OTHER).exit_code == 2
    assert hazina("secrets", "rotate").exit_code == 2


def test_a_row_that_was_changed_stops_the_start(database: Path, env: pytest.MonkeyPatch) -> None:
    kept()
    sealed = rows(database)["NCBA_PASSWORD"]
    flipped = sealed[:40] + ("A" if sealed[40] != "A" else "B") + sealed[41:]
    changed(database, "UPDATE secrets SET sealed = ?", flipped)
    assert "does not open it" in refused()


def test_a_sealed_value_is_good_for_no_other_setting(
    database: Path, env: pytest.MonkeyPatch
) -> None:
    """Write access to the database must not be enough to send NCBA's password to a mail server."""
    kept()
    changed(database, "UPDATE secrets SET name = ?", "SMTP_PASSWORD")
    assert refused().startswith("SMTP_PASSWORD is sealed with key 1, and that key does not open it")


def test_a_name_that_is_no_setting_stops_the_start(database: Path, env: pytest.MonkeyPatch) -> None:
    kept()
    changed(database, "UPDATE secrets SET name = ?", "NCBA_PIN")
    line = refused()
    assert "secret NCBA_PIN, and there is no such setting" in line
    assert "SMTP_PASSWORD" in line
    assert hazina("secrets", "remove", "NCBA_PIN").exit_code == 0
    assert with_stored_secrets(Settings()) == Settings()


def test_one_that_cannot_be_opened_stops_the_start_also_when_the_environment_has_it(
    env: pytest.MonkeyPatch,
) -> None:
    kept()
    env.setenv("HAZINA_KEYS", NEW)
    env.setenv("NCBA_PASSWORD", OTHER)
    assert "NCBA_PASSWORD is sealed with key 1" in refused()
