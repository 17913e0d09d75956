"""``hazina doctor`` says what stands in the way of paying customers, and harms no running desk."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import structlog
from click.testing import CliRunner, Result

from bot.cli.main import main
from bot.database import database_files
from bot.maintenance import payouts
from bot.maintenance.payouts import check_daraja
from bot.security.keyring import new_key
from bot.settings import Settings
from bot.simulation.credentials import DARAJA_HOST, settings_with_credentials
from bot.simulation.daraja.security_credential import certificate_pem
from bot.simulation.simulated_client import SimulatedClient
from services.domain.business_days import business_day
from services.domain.database import DatabaseFailed, LockingUnsupported
from storage.sqlite.empty_database import empty_database
from tests.kit.daraja_caller import DarajaCaller
from tests.kit.payout_settings import DESK, PASSWORD, SEALED, SECRET, WITH_CREDENTIAL, WITH_PASSWORD


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run in an empty folder and environment, and restore logging afterwards."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HAZINA_KEYS", new_key("1"))
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def doctor(*options: str, **env: str) -> Result:
    return CliRunner().invoke(main, ["doctor", *options], env=env)


def offline(**env: str) -> str:
    output = doctor("--offline", **DESK | env).output
    assert SEALED not in output
    assert SECRET not in output
    assert PASSWORD not in output
    return output


def days_ago(days: int) -> str:
    return str(today() - timedelta(days=days))


def today() -> date:
    return business_day(datetime.now().astimezone())


def test_a_desk_that_pays_nobody_is_told_so() -> None:
    assert "ok    payouts: are off" in offline()


@pytest.mark.parametrize(
    ("networks", "said"),
    [
        ({}, "ok    payouts: Results come to https://desk.example, from Safaricom's addresses"),
        (
            {"DARAJA_NETWORKS": "196.201.214.200"},
            "ok    payouts: Results come to https://desk.example, from Safaricom's addresses alone",
        ),
        (
            {"DARAJA_NETWORKS": "192.0.2.0/24"},
            "ok    payouts: Results come to https://desk.example, from DARAJA_NETWORKS alone",
        ),
        ({"DARAJA_NETWORKS": "*"}, "warn  payouts: Results come to https://desk.example from any"),
        ({"DARAJA_NETWORKS": ","}, "warn  payouts: Results come to https://desk.example from any"),
    ],
)
def test_who_can_say_that_somebody_was_paid_is_told(networks: dict[str, str], said: str) -> None:
    assert said in offline(**WITH_CREDENTIAL | networks)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (certificate_pem(), "ok    certificate: mpesa.cer has an RSA key of 2,048 bits"),
        (b"kahawa", "WRONG certificate: DARAJA_CERTIFICATE: mpesa.cer is no certificate"),
        (None, "WRONG certificate: DARAJA_CERTIFICATE: mpesa.cer is no file that is there"),
    ],
)
def test_the_certificate_is_read(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "mpesa.cer").write_bytes(content)
    assert said in offline(**WITH_PASSWORD)


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (-1, "WRONG initiator's password: was set on {since}, which is still to come"),
        (0, "ok    initiator's password: was set on {since}: M-PESA takes it until {ends}\n"),
        (79, "ok    initiator's password: was set on {since}: M-PESA takes it until {ends}\n"),
        (80, "warn  initiator's password: was set on {since}: M-PESA takes it until {ends} only"),
        (89, "warn  initiator's password: was set on {since}: M-PESA takes it until {ends} only"),
        (90, "WRONG initiator's password: was set on {since}: M-PESA took it until {ends}"),
        (9_000, "WRONG initiator's password: was set on {since}: M-PESA took it until {ends}"),
    ],
)
def test_the_passwords_age_is_told(age: int, said: str) -> None:
    since = days_ago(age)
    ends = str(date.fromisoformat(since) + timedelta(days=90))
    output = offline(**WITH_CREDENTIAL, DARAJA_PASSWORD_SET_ON=since)
    assert said.format(since=since, ends=ends) in output


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_no_day_is_too_far_away(day: str) -> None:
    result = doctor("--offline", **DESK | WITH_CREDENTIAL, DARAJA_PASSWORD_SET_ON=day)
    assert f"WRONG initiator's password: was set on {day}" in result.output


def test_an_age_that_cannot_be_known_is_told_with_what_to_set() -> None:
    output = offline(**WITH_CREDENTIAL)
    assert "warn  initiator's password: when it was set is unknown" in output
    assert "-> set DARAJA_PASSWORD_SET_ON to the day" in output


def sealed_in_the_database(name: str, value: str, **env: str) -> None:
    result = CliRunner().invoke(main, ["secrets", "set", name], input=value, env=env)
    assert result.exit_code == 0, result.output


def without(env: dict[str, str], name: str) -> dict[str, str]:
    return {other: value for other, value in env.items() if other != name}


def test_a_credential_in_the_database_is_as_old_as_it_is_there() -> None:
    sealed_in_the_database("DARAJA_SECURITY_CREDENTIAL", SEALED)
    env = without(WITH_CREDENTIAL, "DARAJA_SECURITY_CREDENTIAL")
    assert f"initiator's password: was stored on {today()}: M-PESA takes it" in offline(**env)
    env["DARAJA_PASSWORD_SET_ON"] = days_ago(85)
    assert f"warn  initiator's password: was set on {days_ago(85)}" in offline(**env)


def test_so_is_a_password(tmp_path: Path) -> None:
    (tmp_path / "mpesa.cer").write_bytes(certificate_pem())
    sealed_in_the_database("DARAJA_INITIATOR_PASSWORD", PASSWORD, DARAJA_CERTIFICATE="mpesa.cer")
    env = without(WITH_PASSWORD, "DARAJA_INITIATOR_PASSWORD")
    assert f"initiator's password: was stored on {today()}" in offline(**env)


def test_one_that_the_environment_overrides_tells_nothing() -> None:
    sealed_in_the_database("DARAJA_SECURITY_CREDENTIAL", SEALED)
    assert "initiator's password: when it was set is unknown" in offline(**WITH_CREDENTIAL)


def test_what_is_missing_is_said_once() -> None:
    output = offline(**without(WITH_CREDENTIAL, "DARAJA_CALLBACK_URL"))
    assert "WRONG DARAJA_CALLBACK_URL: is missing" in output
    assert "ok    payouts: are off" in output


def test_online_it_asks_for_a_token() -> None:
    result = doctor("--json", **DESK | WITH_CREDENTIAL)
    findings = {found["what"]: found for found in map(json.loads, result.stdout.splitlines())}
    assert findings["daraja"]["says"].startswith("gave no token: ")
    assert "DARAJA_CONSUMER_KEY" in findings["daraja"]["remedy"]


# A desk that is running


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "hazina.db"
    path.write_bytes(empty_database())
    return path


async def test_where_no_desk_runs_a_token_is_asked_for(database: Path) -> None:
    for path in (database, database.with_name("none-yet.db")):
        outside = DarajaCaller()
        async with client_of(outside) as client:
            result = await check_daraja(settings_with_credentials(path), client)
        assert str(result) == "ok    daraja: gave a token"
        assert outside.daraja.calls("payout-token") == 1
    assert "none-yet" not in " ".join(os.listdir(database.parent))


async def test_the_token_of_a_running_desk_is_left_alone(database: Path) -> None:
    outside = DarajaCaller()
    with database_files.locked(database):
        async with client_of(outside) as client:
            result = await check_daraja(settings_with_credentials(database), client)
    assert str(result).startswith("ok    daraja: is not asked")
    assert outside.daraja.calls("payout-token") == 0


@pytest.mark.parametrize(
    "fault", [PermissionError("no"), LockingUnsupported("no locks"), DatabaseFailed("no")]
)
async def test_where_nobody_can_tell_no_token_is_asked_for(
    database: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    class Unlockable:
        def locked(self, path: Path) -> object:
            raise fault

    monkeypatch.setattr(payouts, "database_files", Unlockable())
    outside = DarajaCaller()
    async with client_of(outside) as client:
        result = await check_daraja(settings_with_credentials(database), client)
    assert str(result).startswith("warn  daraja: is not asked")
    assert outside.daraja.calls("payout-token") == 0


def client_of(outside: DarajaCaller) -> httpx.AsyncClient:
    return SimulatedClient(outside.daraja, {DARAJA_HOST: outside.daraja})
