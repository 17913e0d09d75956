"""Commands with ``DATABASE`` on a server: what they need, and what they say instead of working on
files. No server is reached: what opens one has a file in truth."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest
import structlog
from click.testing import CliRunner, Result
from pydantic import SecretStr

from bot.cli.main import main
from bot.maintenance.payouts import check_daraja
from bot.security import backup
from bot.security.keyring import new_key
from bot.security.stored_secrets import with_stored_secrets
from bot.settings import Settings
from bot.simulation.credentials import DARAJA_HOST, settings_with_credentials
from bot.simulation.simulated_client import SimulatedClient
from services.domain.business_days import NAIROBI
from services.domain.database import (
    DatabaseCondition,
    DatabaseFailed,
    DriverMissing,
    LogArchive,
    MigrationError,
)
from tests.kit.daraja_caller import DarajaCaller
from tests.kit.file_behind_server import (
    ADDRESS,
    MASKED,
    PASSWORD,
    SERVER,
    WRITTEN,
    FileBehindServer,
    serve_file,
)

KEYS = new_key("1")
NO_KEYS = (
    "HAZINA_KEYS is missing, and a database on a server has no file of keys beside it: set it to a"
    " line that `hazina key` prints, and keep that elsewhere too\n"
)
REAL = {
    "TELEGRAM_BOT_TOKEN": "123456:only-for-this-test",
    "NCBA_USERNAME": "hazina",
    "NCBA_PASSWORD": "only-for-this-test",
    "NCBA_ACCOUNT_NUMBER": "774451",
    "ADMIN_IDS": "77",
    "HAZINA_KEYS": KEYS,
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Run in an empty folder and environment, and restore logging afterwards."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATABASE", ADDRESS)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield here
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileBehindServer:
    return serve_file(tmp_path / "served.db", monkeypatch)


def fails(patch: pytest.MonkeyPatch, fault: Exception) -> None:
    def on_server() -> None:
        raise fault

    patch.setattr("bot.database._on_server", on_server)


def hazina(*words: str, typed: str | None = None, **env: str) -> Result:
    result = CliRunner().invoke(main, words, input=typed, env=env)
    assert PASSWORD not in result.output
    assert WRITTEN not in result.output
    return result


def finding(output: str, what: str) -> str:
    """The lines of one check."""
    lines = output.splitlines()
    (at,) = (n for n, line in enumerate(lines) if line[6:].startswith(f"{what}: "))
    return "\n".join(lines[at : at + 2])


# Keys


@pytest.mark.parametrize("command", [("run",), ("migrate",), ("migrate", "--new")])
def test_nothing_begins_without_keys(command: tuple[str, ...], server: FileBehindServer) -> None:
    result = hazina(*command)
    assert (result.exit_code, result.output) == (2, NO_KEYS)
    assert not server.path.exists()


def test_keys_that_cannot_be_read_stop_it_too(server: FileBehindServer) -> None:
    result = hazina("migrate", HAZINA_KEYS="1:short")
    assert result.exit_code == 2
    assert "a key is written id:secret" in result.output
    assert not server.path.exists()


@pytest.mark.parametrize("command", [("reconcile",), ("secrets", "set", "NCBA_PASSWORD")])
def test_whoever_needs_keys_says_so_before_it_opens_the_database(
    command: tuple[str, ...], server: FileBehindServer
) -> None:
    result = hazina(*command, typed="word")
    assert (result.exit_code, result.output) == (2, NO_KEYS)
    assert not server.path.exists()


def test_with_a_file_keys_are_made_beside_it_as_ever(folder: Path) -> None:
    result = hazina("secrets", "set", "NCBA_PASSWORD", typed="word", DATABASE="hazina.db")
    assert result.exit_code == 0
    assert (folder / "hazina.db.keys").exists()


# What works as with a file


def test_migrations_are_listed_under_the_masked_address(
    server: FileBehindServer, folder: Path
) -> None:
    result = hazina("migrate", HAZINA_KEYS=KEYS)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines
    assert all(line.startswith(f"{MASKED} has 0") for line in lines)
    assert list(folder.iterdir()) == []


def test_a_run_serves_and_its_log_knows_the_password(
    server: FileBehindServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Settings] = []

    async def serve(settings: Settings) -> None:
        seen.append(settings)
        structlog.get_logger("x").info(f"it was {PASSWORD} in {ADDRESS}")

    monkeypatch.setattr("bot.serving.serve.serve", serve)
    result = hazina("run", **REAL)
    assert result.exit_code == 0, result.output
    assert seen[0].database == SERVER
    assert f"it was *** in {MASKED}" in result.stderr


def test_secrets_are_kept_and_read_on_the_server(
    server: FileBehindServer, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setenv("HAZINA_KEYS", KEYS)
    assert hazina("secrets", "set", "NCBA_PASSWORD", typed="word-of-the-bank").exit_code == 0
    opened = with_stored_secrets(Settings())
    assert opened.ncba_password == SecretStr("word-of-the-bank")
    assert opened.database == SERVER
    assert hazina("secrets", "list").output.startswith("NCBA_PASSWORD  set ")
    monkeypatch.setenv("HAZINA_KEYS", f"{new_key('2')},{KEYS}")
    assert hazina("secrets", "rotate").output == "1 sealed with key 2\n"
    assert list(folder.iterdir()) == []


def test_a_rotation_asks_the_server_whether_there_is_anything(server: FileBehindServer) -> None:
    assert hazina("secrets", "rotate").output == "no secret is in the database\n"
    assert server.opened == 1


def test_its_own_address_is_no_secret_that_it_keeps(server: FileBehindServer) -> None:
    result = hazina("secrets", "set", "DATABASE", typed=ADDRESS, HAZINA_KEYS=KEYS)
    assert result.exit_code == 2
    assert result.output.startswith("a secret is one of ")
    assert not server.path.exists()


@pytest.mark.parametrize(
    "command",
    [
        ("limit", "set", "c2b.max", "100000"),
        ("code", "status", "0712345678"),
        ("audit", "verify"),
        (
            *("person", "add", "--partner", "MAVUNO", "--new-partner"),
            *("--name", "Wanja", "--phone", "0711000222", "--telegram", "4242"),
        ),
    ],
    ids=lambda command: command[0],
)
def test_other_commands_work_on_the_server(
    command: tuple[str, ...], server: FileBehindServer, folder: Path
) -> None:
    assert hazina("migrate", HAZINA_KEYS=KEYS).exit_code == 0
    result = hazina(*command)
    assert result.exit_code == 0, result.output
    assert list(folder.iterdir()) == []


# What does not


@pytest.mark.parametrize(
    "command",
    [
        ("backup",),
        ("backup", "elsewhere"),
        ("restore", "a.db"),
        ("restore", "a.db", "--replace"),
        ("restore", "a.db", "--verify"),
    ],
    ids=" ".join,
)
def test_backups_are_left_to_pgbackrest_in_one_line(
    command: tuple[str, ...], server: FileBehindServer, folder: Path
) -> None:
    result = hazina(*command, BACKUP_KEYS="not even keys")
    assert (result.exit_code, result.output) == (2, f"{backup.ON_SERVER}\n")
    assert "pgbackrest" in result.output
    assert "docs/scale.md" in result.output
    assert "`hazina copy`" in result.output
    assert list(folder.iterdir()) == []


def test_a_backup_is_restored_to_a_file_that_is_named(folder: Path) -> None:
    assert hazina("migrate", DATABASE="old.db").exit_code == 0
    (made,) = hazina("backup", DATABASE="old.db").output.splitlines()
    assert hazina("restore", made, "--verify", "--to", "new.db").exit_code == 0
    assert hazina("restore", made, "--to", "new.db").exit_code == 0
    assert (folder / "new.db").exists()


# What the doctor says


def test_a_doctor_finds_a_database_that_is_up_to_date(
    server: FileBehindServer, folder: Path
) -> None:
    assert hazina("migrate", HAZINA_KEYS=KEYS).exit_code == 0
    result = hazina("doctor", "--offline", **REAL)
    assert result.exit_code == 0, result.output
    assert f"ok    database: {MASKED} can be used and is up to date" in result.output
    assert "ok    keys: HAZINA_KEYS can be used" in result.output
    assert list(folder.iterdir()) == []


def test_a_doctor_warns_that_nobody_says_which_node_leads(server: FileBehindServer) -> None:
    found = finding(hazina("doctor", "--offline", **REAL).output, "primary")
    assert found.startswith("warn  primary: is taken to be any node that can be written to")
    assert "set PATRONI_URLS" in found


def test_a_doctor_is_content_when_patroni_says_it(
    server: FileBehindServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_behind", lambda address: server.path)
    result = hazina("doctor", "--offline", **REAL, PATRONI_URLS="http://a.test:8008")
    assert "ok    primary: Patroni is asked which node it is\n" in result.output


def test_a_doctor_warns_that_the_desk_makes_no_backups(server: FileBehindServer) -> None:
    found = finding(hazina("doctor", "--offline", **REAL).output, "backups")
    assert found.startswith("warn  backups: the desk makes none of a database on a server\n")
    assert "have pgbackrest make full backups and archive the WAL (docs/scale.md)" in found
    assert "`hazina copy`" in found


MORNING = datetime(2026, 12, 3, 8, tzinfo=NAIROBI)
EVENING = datetime(2026, 12, 3, 20, tzinfo=NAIROBI)
CANNOT = "; the server could not archive its log, last tried 2026-12-03 17:00 UTC\n"


@pytest.mark.parametrize(
    ("archive", "mark", "says"),
    [
        (LogArchive(False, None, None), "warn ", "; the server does not archive its log\n"),
        (LogArchive(True, None, None), "ok   ", "; the server archives its log, none so far."),
        (
            LogArchive(True, EVENING, MORNING),
            "ok   ",
            "; the server archives its log, last 2026-12-03 17:00 UTC. `pgbackrest info`",
        ),
        (LogArchive(True, MORNING, EVENING), "warn ", CANNOT),
        (LogArchive(True, None, EVENING), "warn ", CANNOT),
    ],
)
def test_a_doctor_says_how_the_server_archives_its_log(
    archive: LogArchive,
    mark: str,
    says: str,
    server: FileBehindServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    condition = DatabaseCondition(None, (), archive)
    monkeypatch.setattr(server, "condition", lambda address: condition)
    found = finding(hazina("doctor", "--offline", **REAL).output, "backups")
    assert found.startswith(f"{mark} backups: the desk makes none of a database on a server{says}")
    unused = hazina("doctor", "--offline", **REAL, BACKUP_DIR="safe").output
    assert finding(unused, "backups").startswith("warn ")


@pytest.mark.parametrize(
    ("given", "unused"),
    [
        ({"BACKUP_DIR": "safe"}, "BACKUP_DIR"),
        ({"BACKUP_KEYS": "not even keys"}, "BACKUP_KEYS"),
        ({"BACKUP_DIR": "safe", "BACKUP_KEYS": KEYS}, "BACKUP_DIR and BACKUP_KEYS"),
    ],
)
def test_a_doctor_names_the_settings_of_backups_that_do_nothing(
    given: dict[str, str], unused: str, server: FileBehindServer
) -> None:
    result = hazina("doctor", "--offline", **REAL | given)
    found = finding(result.output, "backups")
    assert found.startswith("warn ")
    assert f"on a server, and does not use {unused}\n" in found


def test_a_doctor_misses_the_keys(server: FileBehindServer, folder: Path) -> None:
    result = hazina("doctor", "--offline", **REAL | {"HAZINA_KEYS": ""})
    assert result.exit_code == 1
    assert finding(result.output, "keys").startswith("WRONG keys: HAZINA_KEYS is missing")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("fault", "says", "remedy"),
    [
        (
            DriverMissing(),
            "PostgreSQL needs its driver: install hazina[postgres]",
            "`pip install 'hazina[postgres]'`",
        ),
        (
            DatabaseFailed("connection refused"),
            f"{MASKED} cannot be used: connection refused",
            "see that the server runs and that DATABASE names it, its user and its database",
        ),
        (
            MigrationError("the database is newer than this program"),
            "the database is newer than this program",
            "use the program that fits it, or restore it with pgbackrest (docs/scale.md)",
        ),
    ],
)
def test_a_doctor_says_why_the_database_cannot_be_used(
    fault: Exception, says: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails(monkeypatch, fault)
    result = hazina("doctor", "--offline", **REAL)
    assert result.exit_code == 1
    assert finding(result.output, "database") == f"WRONG database: {says}\n      -> {remedy}"
    assert "ok    secrets: the database cannot be read for any" in result.output


def test_a_doctor_that_no_node_answers_names_what_is_asked_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fails(monkeypatch, DatabaseFailed("no node says that it is the primary"))
    result = hazina("doctor", "--offline", **REAL, PATRONI_URLS="http://10.0.0.11:8008")
    assert "PATRONI_URLS are right" in finding(result.output, "database")


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        (DatabaseCondition("page 7 is torn", ()), "WRONG database: {} is damaged: page 7 is torn"),
        (
            DatabaseCondition(None, ("0001_a", "0002_b")),
            "ok    database: {}; the next start applies 0001_a, 0002_b",
        ),
    ],
)
def test_a_doctor_says_what_it_found_in_the_database(
    condition: DatabaseCondition,
    says: str,
    server: FileBehindServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "condition", lambda address: condition)
    result = hazina("doctor", "--offline", **REAL)
    assert finding(result.output, "database").startswith(says.format(MASKED))


async def test_a_doctor_ends_no_token_of_a_desk_that_may_be_running(tmp_path: Path) -> None:
    settings = settings_with_credentials(tmp_path / "hazina.db")
    outside = DarajaCaller()
    client: httpx.AsyncClient = SimulatedClient(outside.daraja, {DARAJA_HOST: outside.daraja})
    async with client:
        found = await check_daraja(settings.model_copy(update={"database": SERVER}), client)
    assert str(found).startswith("warn  daraja: is not asked: a desk may be running on that server")
    assert outside.daraja.calls("payout-token") == 0


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (DriverMissing(), "PostgreSQL needs its driver: install hazina[postgres]\n"),
        (
            DatabaseFailed("connection refused"),
            "the database cannot be used: connection refused; `hazina doctor` tells more\n",
        ),
    ],
)
@pytest.mark.parametrize("command", [("run",), ("migrate",), ("secrets", "list")])
def test_a_server_that_cannot_be_used_is_one_line(
    command: tuple[str, ...], fault: Exception, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails(monkeypatch, fault)
    result = hazina(*command, **REAL)
    assert (result.exit_code, result.output) == (2, line)
