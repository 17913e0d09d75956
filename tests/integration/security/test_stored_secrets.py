"""Credentials sealed in the database: set, listed, used, rotated, removed, and never shown."""

from __future__ import annotations

import logging
import sqlite3
import traceback
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from bot.cli.main import main
from bot.missing_settings import missing_settings
from bot.security.keyring import key_file_beside, new_key
from bot.security.stored_secrets import (
    SecretsFault,
    describe_secrets,
    secret_values,
    storable_names,
    with_stored_secrets,
)
from bot.settings import Settings
from storage.stores.audit import chain_breaks

VALUE = "only-for-this-test-0712"
OTHER = "another-one-for-this-test"
OLD, NEW = new_key("1"), new_key("2")
PLAIN = {
    "NCBA_USERNAME": "hazina",
    "NCBA_ACCOUNT_NUMBER": "774451",
    "TELEGRAM_BOT_TOKEN": "123456:only-for-this-test",
}


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In an empty folder and environment, and with the log as it was afterwards."""
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
def database(tmp_path: Path) -> Path:
    return tmp_path / "hazina.db"


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("HAZINA_KEYS", OLD)
    return monkeypatch


def hazina(*words: str, typed: str | bytes | None = None) -> Result:
    return CliRunner().invoke(main, words, input=typed)


def kept(name: str = "NCBA_PASSWORD", value: str = VALUE) -> None:
    result = hazina("secrets", "set", name, typed=value)
    assert result.exit_code == 0, result.output


def changed(database: Path, sql: str, *given: str) -> None:
    with closing(sqlite3.connect(database)) as conn, conn:
        conn.execute(sql, given)


def rows(database: Path) -> dict[str, str]:
    with closing(sqlite3.connect(database)) as conn:
        return dict(conn.execute("SELECT name, sealed FROM secrets"))


def at_rest(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


# Setting --------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_value_from_standard_input_is_used(end: str) -> None:
    kept(value=VALUE + end)
    found = with_stored_secrets(Settings()).ncba_password
    assert found is not None
    assert found.get_secret_value() == VALUE


def test_a_value_is_nowhere_on_the_disk(tmp_path: Path) -> None:
    kept()
    assert VALUE.encode() not in at_rest(tmp_path)


def test_a_value_is_asked_for_without_echo_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "click.testing._NamedTextIOWrapper.isatty", lambda self: True, raising=False
    )
    result = hazina("secrets", "set", "NCBA_PASSWORD", typed=f"{VALUE}\n")
    assert result.exit_code == 0
    assert "NCBA_PASSWORD: " in result.output
    assert VALUE not in result.output
    assert VALUE in secret_values(with_stored_secrets(Settings()))


def test_a_value_on_the_command_line_is_refused_and_not_repeated(database: Path) -> None:
    result = hazina("secrets", "set", "NCBA_PASSWORD", VALUE)
    assert result.exit_code == 2
    assert VALUE not in result.output
    assert not database.exists()


@pytest.mark.parametrize("name", [VALUE, "ncba_password", f"NCBA_PASSWORD={VALUE}", "HAZINA_KEYS"])
def test_a_wrong_name_is_refused_with_the_names_there_are(name: str, database: Path) -> None:
    result = hazina("secrets", "set", name, typed=VALUE)
    assert result.exit_code == 2
    assert "SMTP_PASSWORD" in result.output
    assert VALUE not in result.output
    assert not database.exists()


def test_every_credential_may_be_sealed_but_not_the_keys_that_seal() -> None:
    assert {
        "AFRICAS_TALKING_API_KEY",
        "NCBA_PASSWORD",
        "OPENBANKING_PASSWORD",
        "OPENBANKING_SUBSCRIPTION_KEY",
        "SMS_REPORT_SECRET",
        "SMTP_PASSWORD",
        "TELEGRAM_BOT_TOKEN",
        "TELEGRAM_WEBHOOK_SECRET",
    } <= set(storable_names())
    assert "HAZINA_KEYS" not in storable_names()
    assert "NCBA_USERNAME" not in storable_names()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NCBA_PASSWORD", b""),
        ("NCBA_PASSWORD", b"\n"),
        ("NCBA_PASSWORD", f"{VALUE}\n{VALUE}".encode()),
        ("NCBA_PASSWORD", VALUE.encode() * 200),
        ("NCBA_PASSWORD", VALUE.encode() + b"\xff"),
        ("NCBA_PASSWORD", VALUE.encode() + b"\0"),
        ("TELEGRAM_WEBHOOK_SECRET", f"{VALUE} {VALUE}".encode()),
        ("SMS_REPORT_SECRET", b"short"),
    ],
)
def test_a_value_that_cannot_be_is_refused_and_not_repeated(
    name: str, value: bytes, tmp_path: Path
) -> None:
    result = hazina("secrets", "set", name, typed=value)
    assert result.exit_code == 2
    assert "only-for-this" not in result.output
    assert "short" not in result.output
    assert list(tmp_path.iterdir()) == []


def test_the_newest_value_counts() -> None:
    kept()
    kept(value=OTHER)
    assert secret_values(with_stored_secrets(Settings())) == [OTHER]


def test_the_audit_log_has_each_act_and_no_value(database: Path, env: pytest.MonkeyPatch) -> None:
    kept()
    hazina("secrets", "rotate")
    hazina("secrets", "remove", "NCBA_PASSWORD")
    with closing(sqlite3.connect(database)) as conn:
        acts = conn.execute("SELECT act, about, facts FROM audit_log ORDER BY n").fetchall()
        assert acts == [
            ("secret_set", "NCBA_PASSWORD", '{"key":"1"}'),
            ("secrets_rotated", "1", '{"count":1}'),
            ("secret_removed", "NCBA_PASSWORD", "{}"),
        ]
        assert list(chain_breaks(conn)) == []


# Listing --------------------------------------------------------------------------------------


def test_a_list_says_name_moment_and_key_and_no_value(env: pytest.MonkeyPatch) -> None:
    kept()
    env.setenv("HAZINA_KEYS", f"{NEW},{OLD}")
    kept("SMTP_PASSWORD", OTHER)
    result = hazina("secrets", "list")
    first, second = result.output.splitlines()
    assert first.startswith("NCBA_PASSWORD  set 20")
    assert first.endswith("UTC  key 1")
    assert second.endswith("UTC  key 2")
    assert VALUE not in result.output
    assert OTHER not in result.output


def test_a_list_of_nothing_makes_neither_database_nor_key(tmp_path: Path) -> None:
    assert hazina("secrets", "list").output == ""
    assert list(tmp_path.iterdir()) == []


def test_a_list_shows_nothing_of_what_was_put_in_unsealed(database: Path) -> None:
    kept()
    changed(database, "UPDATE secrets SET sealed = ?", f"plain:{VALUE}")
    assert "key ?" in hazina("secrets", "list").output
    assert VALUE not in hazina("secrets", "list").output


# Using ----------------------------------------------------------------------------------------


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


# What stops the start -------------------------------------------------------------------------


def refused() -> str:
    """The one line of `hazina run`, which must not be repeated by any exception's words."""
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
    """Who can write to the database must not send NCBA's password to a mail server of theirs."""
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


# Rotating and removing ------------------------------------------------------------------------


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
