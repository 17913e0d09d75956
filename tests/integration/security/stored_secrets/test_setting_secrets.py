"""Credentials are stored sealed and never shown."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.security.stored_secrets import (
    secret_values,
    storable_names,
    with_stored_secrets,
)
from bot.settings import Settings
from storage.stores.audit import chain_breaks
from tests.kit.secret_commands import OTHER, VALUE, hazina, kept


def at_rest(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


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
        "DARAJA_CALLBACK_SECRET",
        "DARAJA_CONSUMER_KEY",
        "DARAJA_CONSUMER_SECRET",
        "DARAJA_INITIATOR_PASSWORD",
        "DARAJA_SECURITY_CREDENTIAL",
        "NCBA_PASSWORD",
        "OPENBANKING_PASSWORD",
        "OPENBANKING_SUBSCRIPTION_KEY",
        "SMS_REPORT_SECRET",
        "SMTP_PASSWORD",
        "TELEGRAM_BOT_TOKEN",
        "TELEGRAM_WEBHOOK_SECRET",
        "USSD_SECRET",
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
        ("USSD_SECRET", b"short-" * 5),
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
