"""Where a restored database is put, and what happens to the one it replaces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.security import backup
from bot.security.backup_file import BackupFault
from services.domain.database import DatabaseInUse
from storage.sqlite import snapshots
from storage.sqlite.database import Database
from tests.kit.stopped_desk import LATER, events, folder_of


@pytest.mark.parametrize("tail", ["-wal", "-journal"])
def test_a_log_without_its_database_is_not_taken_into_another(
    database: Path, made: Path, tail: str
) -> None:
    database.unlink()
    log = database.with_name(database.name + tail)
    log.write_bytes(b"frames")
    with pytest.raises(BackupFault, match=f"hazina.db{tail} is there without its database"):
        backup.restore(made, database, {}, LATER, replace=False)
    assert set(folder_of(database)) == {log.name}
    old = backup.restore(made, database, {}, LATER, replace=True)
    assert old == database.with_name(f"hazina.db.before-20260302T070000Z{tail}")
    assert old.read_bytes() == b"frames"
    assert events(database) == 1
    assert not log.exists()


async def test_the_database_goes_aside_with_its_log(database: Path, made: Path) -> None:
    desk = await Database.open(database, lambda: LATER)
    await desk.write(lambda tx: tx.sessions.mark_handled("telegram", "1"))
    kept = {file.name: file.read_bytes() for file in database.parent.glob("hazina.db*")}
    await desk.close()
    for name, content in kept.items():  # as a killed process leaves them
        (database.parent / name).write_bytes(content)
    old = backup.restore(made, database, {}, LATER, replace=True)
    assert old is not None
    assert (events(old), events(database)) == (2, 1)


def test_a_link_to_the_database_stays_one(database: Path, made: Path, tmp_path: Path) -> None:
    link = tmp_path / "etc" / "desk.db"
    link.parent.mkdir()
    link.symlink_to(database)
    with pytest.raises(BackupFault, match="--replace"):
        backup.restore(made, link, {}, LATER, replace=False)
    old = backup.restore(made, link, {}, LATER, replace=True)
    assert old == database.with_name("hazina.db.before-20260302T070000Z")
    assert link.is_symlink()
    assert events(link) == events(database) == 1
    assert [file.name for file in link.parent.iterdir()] == ["desk.db"]


def test_a_link_to_where_the_database_will_be_is_followed(
    database: Path, made: Path, tmp_path: Path
) -> None:
    link = tmp_path / "desk.db"
    link.symlink_to(tmp_path / "disk" / "hazina.db")
    backup.restore(made, link, {}, LATER, replace=False)
    assert link.is_symlink()
    assert events(tmp_path / "disk" / "hazina.db") == 1


def test_an_empty_file_is_in_nobodys_way(database: Path, made: Path) -> None:
    database.write_bytes(b"")
    assert backup.restore(made, database, {}, LATER, replace=False) is None
    assert events(database) == 1


def test_a_folder_is_not_set_aside(made: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupFault, match="is no file"):
        backup.restore(made, tmp_path / "backups", {}, LATER, replace=True)
    assert made.exists()


def test_what_was_set_aside_before_is_not_written_over(database: Path, made: Path) -> None:
    backup.restore(made, database, {}, LATER, replace=True)
    before = folder_of(database)
    with pytest.raises(BackupFault, match="is there already: move it away"):
        backup.restore(made, database, {}, LATER, replace=True)
    assert folder_of(database) == before


def test_two_restores_at_once_do_not_meet(
    database: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = snapshots.faults

    def meanwhile(plain: Path) -> Iterator[str]:
        with pytest.raises(DatabaseInUse):
            backup.restore(made, database, {}, LATER, replace=True)
        return looked(plain)

    monkeypatch.setattr(snapshots, "faults", meanwhile)
    backup.restore(made, database, {}, LATER, replace=True)
