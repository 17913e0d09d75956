"""``hazina doctor``: each fault is a finding with its remedy, as text and as JSON."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from bot.cli import main
from bot.keys import new_key
from storage.blank import blank

REAL = {
    "TELEGRAM_BOT_TOKEN": "123456:only-for-this-test",
    "TELEGRAM_BASE_URL": "http://127.0.0.1:1/bot",
    "NCBA_BASE_URL": "http://127.0.0.1:1",
    "NCBA_USERNAME": "hazina",
    "NCBA_PASSWORD": "only-for-this-test",
    "NCBA_ACCOUNT_NUMBER": "774451",
}


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In an empty folder and environment, and with the log as it was afterwards."""
    monkeypatch.chdir(tmp_path)
    for name in REAL:
        monkeypatch.delenv(name, raising=False)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def doctor(*options: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, ["doctor", *options], env=env)


def test_what_is_missing_is_named_with_its_remedy() -> None:
    result = doctor("--offline")
    assert result.exit_code == 1
    for name in ("TELEGRAM_BOT_TOKEN", "NCBA_USERNAME", "NCBA_PASSWORD", "NCBA_ACCOUNT_NUMBER"):
        assert f"WRONG {name}: is missing" in result.output


def test_all_well_is_exit_status_zero() -> None:
    assert doctor("--offline", env=REAL).exit_code == 0


@pytest.mark.parametrize("template", ["{account}#{reference}", "{account}"])
def test_what_prompts_carry_is_said_because_the_bank_may_refuse_it(template: str) -> None:
    said = doctor("--offline", env=REAL | {"NCBA_ACCOUNT_REF_TEMPLATE": template}).output
    assert f"account reference: prompts carry {template}" in said
    assert ("then set NCBA_ACCOUNT_REF_TEMPLATE={account}" in said) == ("#" in template)


def test_json_is_one_finding_a_line_also_when_nobody_answers() -> None:
    result = doctor("--json", env=REAL)
    findings = {found["what"]: found for found in map(json.loads, result.stdout.splitlines())}
    assert result.exit_code == 1
    assert not findings["telegram"]["ok"]
    assert not findings["ncba"]["ok"]
    assert findings["ncba"]["remedy"]


def test_no_finding_repeats_a_secret() -> None:
    result = doctor(env=REAL | {"NCBA_PAYBILL_NO": "not digits"})
    assert "NCBA_PAYBILL_NO" in result.output
    assert "only-for-this-test" not in result.output


@pytest.mark.parametrize("keys", ["garbage", "{key},{key}"])
def test_backup_keys_that_stop_the_start_are_found(keys: str) -> None:
    keys = keys.format(key=new_key("1"))
    result = doctor("--offline", env=REAL | {"BACKUP_KEYS": keys})
    assert result.exit_code == 1
    assert "WRONG backups: BACKUP_KEYS: " in result.output


def test_an_env_file_that_others_can_read_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("NCBA_USERNAME=hazina\n")
    (tmp_path / ".env").chmod(0o644)
    assert "chmod 600" in doctor("--offline").output


def test_a_damaged_database_is_found(tmp_path: Path) -> None:
    (tmp_path / "hazina.db").write_bytes(b"not a database at all, not a database at all")
    result = doctor("--offline", env=REAL)
    assert result.exit_code == 1
    assert "WRONG database" in result.output


def test_a_database_that_is_not_made_as_its_version_is_found(tmp_path: Path) -> None:
    (tmp_path / "hazina.db").write_bytes(blank())
    with closing(sqlite3.connect(tmp_path / "hazina.db")) as conn:
        conn.execute("CREATE TABLE kuku (n)")
    result = doctor("--offline", env=REAL)
    assert result.exit_code == 1
    assert "WRONG database: the database is not made as its version is: the table kuku" in (
        result.output
    )
