"""``hazina doctor`` reports each fault with its remedy, as text and as JSON."""

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

from bot.cli.main import main
from bot.security.keyring import new_key
from storage.sqlite.empty_database import empty_database

REAL = {
    "TELEGRAM_BOT_TOKEN": "123456:only-for-this-test",
    "TELEGRAM_BASE_URL": "http://127.0.0.1:1/bot",
    "NCBA_BASE_URL": "http://127.0.0.1:1",
    "NCBA_USERNAME": "hazina",
    "NCBA_PASSWORD": "only-for-this-test",
    "NCBA_ACCOUNT_NUMBER": "774451",
}
USSD = {"USSD_SECRET": "only-for-this-test_0123456789abcdef", "USSD_CODES": "*384*7#"}
SMS = {"AFRICAS_TALKING_USERNAME": "hazina", "AFRICAS_TALKING_API_KEY": "only-for-this-test"}

OTHERS = (
    "ADMIN_IDS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "FORWARDED_ALLOW_IPS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
)


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run in an empty folder and environment, and restore logging afterwards."""
    monkeypatch.chdir(tmp_path)
    for name in (*REAL, *OTHERS):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
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
    complete = REAL | {"ADMIN_IDS": "77", "BACKUP_KEYS": new_key("1")}
    result = doctor("--offline", env=complete)
    assert result.exit_code == 0
    assert "warn" not in result.output
    assert "WRONG" not in result.output


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({}, "ADMIN_IDS: is empty: nobody can run the desk's commands, and nobody is told"),
        ({"NCBA_USRNAME": "x"}, "NCBA_USRNAME: is no setting"),
        ({"telegram_token": "x"}, "TELEGRAM_TOKEN: is no setting"),
        ({"NCBA_USERNAME": "'hazina'"}, "NCBA_USERNAME: begins and ends with a quote"),
        ({"NCBA_PASSWORD": "word "}, "NCBA_PASSWORD: begins or ends with a blank"),
        ({"ALL_PROXY": "socks://127.0.0.1:1080"}, "proxy: ALL_PROXY: is a SOCKS proxy"),
        ({"NO_PROXY": "localhost,fd00::/200"}, "proxy: NO_PROXY: an entry is neither"),
        ({"REQUESTS_CA_BUNDLE": "/ca.pem"}, "certificates: REQUESTS_CA_BUNDLE is not read"),
        ({"FORWARDED_ALLOW_IPS": "*"}, "network: FORWARDED_ALLOW_IPS is everywhere"),
        ({"PYTHONASYNCIODEBUG": "1"}, "python: PYTHONASYNCIODEBUG makes Python check itself"),
        ({"NCBA_BASE_URL": "http://bank.test"}, "network: NCBA_BASE_URL is plain http"),
    ],
)
def test_what_serves_and_may_be_meant_otherwise_is_a_warning(
    env: dict[str, str], says: str
) -> None:
    result = doctor("--offline", env=REAL | env)
    assert f"warn  {says}" in result.output
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"SSL_CERT_FILE": "/nonexistent/ca.pem"}, "network: SSL_CERT_FILE: /nonexistent/ca.pem"),
        ({"SSLKEYLOGFILE": "keys"}, "network: SSLKEYLOGFILE: "),
        (
            {"HTTPS_PROXY": "socks5://proxy.test:1", "NCBA_BASE_URL": "https://bank.test"},
            "proxy: HTTPS_PROXY: is a SOCKS proxy",
        ),
        ({"BACKUP_AT": "06:00+03:00"}, "settings: BACKUP_AT: is a time of day in Nairobi"),
    ],
)
@pytest.mark.parametrize("options", [("--offline",), ()])
def test_what_stops_the_start_is_a_fault(
    env: dict[str, str], says: str, options: tuple[str, ...]
) -> None:
    result = doctor(*options, env=REAL | env)
    assert f"WRONG {says}" in result.output
    assert result.exit_code == 1
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_variables_of_other_programs_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("POSTGRES_PASSWORD=x\nDATABASE_URL=x\n")
    (tmp_path / ".env").chmod(0o600)
    env = {"HTTP_PROXY": "proxy.test:3128", "HOME": "/root", "LANG": "C", "SMTP_SERVER": "x"}
    assert "is no setting" not in doctor("--offline", env=REAL | env).output


def test_an_env_file_that_cannot_be_read_is_one_finding(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("NCBA_USERNAME=kahawa\n".encode("utf-16"))
    result = doctor("--offline")
    assert "WRONG settings: .env: is UTF-16" in result.output
    assert isinstance(result.exception, SystemExit)


def test_a_database_that_every_user_may_open_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "dawati %41?#.db"
    path.touch(0o644)
    path.chmod(0o644)
    result = doctor("--offline", env=REAL | {"DATABASE": str(path)})
    assert "warn  database: every user of the machine may open" in result.output
    assert "WRONG database" not in result.output


@pytest.mark.parametrize("template", ["{account}#{reference}", "{account}"])
def test_what_prompts_carry_is_said_because_the_bank_may_refuse_it(template: str) -> None:
    said = doctor("--offline", env=REAL | {"NCBA_ACCOUNT_REF_TEMPLATE": template}).output
    assert f"account reference: prompts carry {template}" in said
    assert ("then set NCBA_ACCOUNT_REF_TEMPLATE={account}" in said) == ("#" in template)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "is off"),
        ({"DASHBOARD": "on"}, "http://127.0.0.1:8080"),
        ({"DASHBOARD": "on", "DASHBOARD_URL": "https://desk.example"}, "https://desk.example"),
    ],
)
def test_where_the_dashboard_is_reached_is_said(values: dict[str, str], said: str) -> None:
    (line,) = (
        line
        for line in doctor("--offline", env=REAL | values).output.splitlines()
        if "dashboard" in line
    )
    assert said in line


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "ok    ussd: is off"),
        (USSD, "warn  ussd: *384*7# is answered, and no SMS can say how a payment ended"),
        (USSD | SMS, "ok    ussd: *384*7# is answered, to calls from anywhere, with the secret"),
        (
            USSD | SMS | {"USSD_NETWORKS": "192.0.2.0/24"},
            "ok    ussd: *384*7# is answered, to calls from its gateway's networks",
        ),
        ({"USSD_CODES": "*384*7#"}, "WRONG USSD_SECRET: is missing"),
    ],
)
def test_which_codes_are_answered_is_said(values: dict[str, str], said: str) -> None:
    output = doctor("--offline", env=REAL | values).output
    assert said in output
    assert "only-for-this-test" not in output


def test_json_is_one_finding_a_line_also_when_nobody_answers() -> None:
    result = doctor("--json", env=REAL)
    findings = {found["what"]: found for found in map(json.loads, result.stdout.splitlines())}
    assert result.exit_code == 1
    assert not findings["telegram"]["ok"]
    assert findings["telegram"]["level"] == "fault"
    assert (findings["ADMIN_IDS"]["ok"], findings["ADMIN_IDS"]["level"]) == (True, "warning")
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
    (tmp_path / "hazina.db").write_bytes(empty_database())
    with closing(sqlite3.connect(tmp_path / "hazina.db")) as conn:
        conn.execute("CREATE TABLE kuku (n)")
    result = doctor("--offline", env=REAL)
    assert result.exit_code == 1
    assert "WRONG database: the database is not made as its version is: the table kuku" in (
        result.output
    )
