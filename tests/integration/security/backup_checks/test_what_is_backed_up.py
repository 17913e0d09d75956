"""Only a complete database of this program is backed up; a refusal gives the reason."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.security import backup
from bot.security.backup_file import BackupFault
from tests.kit.stopped_desk import AT, change


def not_backed_up(database: Path, said: str) -> None:
    folder = database.parent / "backups"
    with pytest.raises(BackupFault, match=said):
        backup.make(database, folder, {}, AT)
    assert list(folder.glob("*")) == list(folder.glob(".*")) == []


def test_an_empty_database_is_not_backed_up(database: Path) -> None:
    database.write_bytes(b"")
    not_backed_up(database, "is not backed up: there is nothing in it")


def test_a_database_without_its_guards_is_not_backed_up(database: Path) -> None:
    change("DROP TRIGGER transfers_no_update", database)
    not_backed_up(database, "transfers_no_update is not there")


def test_a_damaged_database_is_not_backed_up(database: Path) -> None:
    with closing(sqlite3.connect(database)) as conn:
        (root,) = conn.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'events'"
        ).fetchone()
    with database.open("r+b") as file:
        file.seek((root - 1) * 4_096)
        file.write(bytes(64))
    not_backed_up(database, "damaged|malformed")


def test_a_backup_is_made_beside_what_a_link_leads_to(database: Path, tmp_path: Path) -> None:
    link = tmp_path / "desk.db"
    link.symlink_to(database)
    made = backup.make(link, tmp_path / "backups", {}, AT)
    assert backup.verify(made, {}, tmp_path) == []
