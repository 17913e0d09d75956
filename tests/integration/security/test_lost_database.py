"""A database that existed before is not silently created anew."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli.main import main
from bot.security.keyring import new_key
from storage.sqlite import snapshots

BACKUP = "hazina-20260302T060000Z.db"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE", raising=False)
    return tmp_path


def say(*args: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(args))
    return result.exit_code, result.output


def trace(folder: Path, name: str) -> None:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(new_key("1"))
    file.chmod(0o600)


COMMANDS = [
    ("run",),
    ("migrate",),
    ("reconcile",),
    ("limit", "set", "topup_max", "1000"),
    ("secrets", "set", "NCBA_PASSWORD"),
    (
        *("person", "add", "--partner", "MAVUNO", "--new-partner"),
        *("--name", "Wanja", "--phone", "0711000222", "--telegram", "4242"),
    ),
]


@pytest.mark.parametrize("empty", [False, True], ids=["missing", "empty"])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_no_command_makes_a_database_where_a_desk_has_been(
    folder: Path, command: tuple[str, ...], empty: bool
) -> None:
    trace(folder, "hazina.db.keys")
    trace(folder, f"backups/{BACKUP}")
    if empty:
        (folder / "hazina.db").touch()
    code, said = say(*command)
    assert code == 2
    assert said == (
        f"hazina.db is {'empty' if empty else 'not there'}, but there is hazina.db.keys and"
        f" backups/{BACKUP}: a desk has been here. Put its database back, or a backup with"
        f" `hazina restore backups/{BACKUP}`; only if it shall begin with nothing,"
        " `hazina migrate --new`\n"
    )
    assert snapshots.is_empty(folder / "hazina.db")


@pytest.mark.parametrize(
    "name", ["hazina.db.keys", f"backups/{BACKUP}", "hazina.db.before-20260302T060000Z"]
)
def test_each_trace_of_a_desk_will_do(folder: Path, name: str) -> None:
    trace(folder, name)
    code, said = say("migrate")
    assert code == 2
    assert f"{name}: a desk has been here" in said
    code, said = say("doctor", "--offline")
    assert code == 1
    assert "WRONG database: hazina.db is not there, but there is" in said


def test_backups_are_looked_for_where_they_are_made(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace(folder, f"safe/{BACKUP}")
    monkeypatch.setenv("BACKUP_DIR", "safe")
    assert say("migrate")[0] == 2


def test_a_database_in_which_nothing_is_is_no_database_either(folder: Path) -> None:
    trace(folder, "hazina.db.keys")
    with closing(sqlite3.connect("hazina.db")) as conn:
        conn.executescript("CREATE TABLE notes (n); DROP TABLE notes")
    assert say("migrate")[0] == 2


def test_whoever_says_so_begins_with_nothing(folder: Path) -> None:
    trace(folder, "hazina.db.keys")
    assert say("migrate", "--new")[0] == 0
    assert say("migrate")[0] == 0
    assert say("doctor", "--offline")[1].count("hazina.db is sound") == 1


def test_a_log_without_its_database_is_not_deleted_by_whoever_says_so(folder: Path) -> None:
    trace(folder, "hazina.db-wal")
    for command in (("migrate",), ("migrate", "--new")):
        code, said = say(*command)
        assert code == 2
        assert "hazina.db-wal is: what was committed last may stand in it alone" in said
    assert (folder / "hazina.db-wal").stat().st_size > 0


def test_a_first_start_is_one(folder: Path) -> None:
    (folder / "backups").mkdir()
    (folder / "hazina.db").touch()
    assert say("migrate")[0] == 0
    assert say("migrate")[0] == 0  # despite traces of the first start


def test_a_link_to_nothing_is_a_missing_database(folder: Path) -> None:
    (folder / "hazina.db").symlink_to(folder / "gone" / "hazina.db")
    trace(folder, "hazina.db.keys")
    code, said = say("migrate")
    assert code == 2
    assert "hazina.db is not there" in said


@pytest.mark.parametrize("what", ["pipe", "folder", "device"])
def test_what_is_no_file_is_no_database(
    folder: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "folder").mkdir()
    (folder / "device").symlink_to("/dev/null")
    monkeypatch.setenv("DATABASE", what)
    assert say("migrate") == (2, f"{what} is no file: set DATABASE to one\n")
