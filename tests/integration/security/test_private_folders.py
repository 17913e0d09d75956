"""What a killed backup leaves is readable only by its owner, and the next one deletes it."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.security import backup
from bot.security.private_folders import private_folder, sweep
from bot.simulation.log_capture import full_log
from bot.simulation.world import World
from storage.sqlite.empty_database import empty_database

AT = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
KEYS = {"vault": b"v" * 32}

# A backup killed after its copy is made, while it is being sealed.
REVOKED = """
import os, signal, sys
from datetime import datetime, UTC
from pathlib import Path
from bot.security import backup, sealed_file
def half(source, target, *key):
    target.write(source.read(1000))
    target.flush()
    os.kill(os.getpid(), signal.SIGKILL)
sealed_file.seal = half
backup.make(Path(sys.argv[1]), Path(sys.argv[2]), {"vault": b"v" * 32}, datetime.now(UTC))
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "desk" / "hazina.db"
    path.parent.mkdir()
    path.write_bytes(empty_database())
    return path


def left_in(folder: Path) -> list[Path]:
    return sorted(folder.glob(".hazina-*"))


def test_what_a_killed_backup_leaves_is_the_owners_alone_and_swept_by_the_next(
    database: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    done = subprocess.run([sys.executable, "-c", REVOKED, database, folder], check=False)
    assert done.returncode == -signal.SIGKILL
    for left in (left_in(database.parent), left_in(folder)):
        assert len(left) == 1
        assert stat.S_IMODE(left[0].stat().st_mode) == 0o700
        files = [file for file in left[0].iterdir() if file.stat().st_size]
        assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600]
    assert backup.list_backups(folder) == []
    made = backup.make(database, folder, KEYS, AT)
    assert list(folder.iterdir()) == [made]
    assert left_in(database.parent) == []


async def test_a_start_sweeps_too(tmp_path: Path) -> None:
    world = World(tmp_path)
    await world.open()
    await world.close()
    database = world.settings.database
    backups = database.parent / "backups"
    backups.mkdir(exist_ok=True)
    for folder in (database.parent, backups):
        (folder / ".hazina-abcd1234").mkdir()
        (folder / ".hazina-abcd1234" / "copy.db").write_bytes(b"money")
    await world.open()
    await world.close()
    assert left_in(database.parent) == left_in(backups) == []


def test_what_somebody_works_in_stays(tmp_path: Path) -> None:
    with private_folder(tmp_path) as first:
        (first / "copy.db").write_bytes(b"money")
        with private_folder(tmp_path) as second:
            assert (first / "copy.db").read_bytes() == b"money"
            sweep(tmp_path)
            assert left_in(tmp_path) == sorted([first, second])
        assert left_in(tmp_path) == [first]
    assert left_in(tmp_path) == []


def test_it_is_gone_whatever_happens_in_it(tmp_path: Path) -> None:
    def interrupted() -> None:
        with private_folder(tmp_path) as folder:
            (folder / "copy.db").write_bytes(b"money")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert left_in(tmp_path) == []


def test_what_programs_before_this_one_left_goes_and_what_is_not_ours_stays(
    tmp_path: Path,
) -> None:
    (tmp_path / ".hazina-20260302T060000Z.part").write_bytes(b"money")
    (tmp_path / ".hazina-old_one1").mkdir()
    (tmp_path / ".hazina-old_one1" / "copy.db").write_bytes(b"money")
    for name in (".hazina-notes", ".hazina-20260302T060000Z.db", "hazina-abcd1234"):
        (tmp_path / name).write_bytes(b"not ours")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    (tmp_path / ".hazina-linked_1").symlink_to(elsewhere)
    sweep(tmp_path)
    assert {file.name for file in left_in(tmp_path)} == {
        ".hazina-notes",
        ".hazina-20260302T060000Z.db",
    }
    assert (elsewhere / "kept").exists()


def test_what_cannot_be_deleted_is_said_and_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".hazina-abcd1234").mkdir()

    def others(folder: Path) -> int | None:
        raise PermissionError("it is somebody else's")

    monkeypatch.setattr("bot.security.private_folders._hold", others)
    logged: list[str] = []
    with full_log(logged.append):
        sweep(tmp_path)
    assert [line for line in logged if "it is somebody else's" in line]
