"""The database of a stopped program, and how a backup is refused beside it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.security import backup
from bot.security.backup_file import BackupFault

AT = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)


def change(sql: str, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.executescript(sql)


def events(path: Path) -> int:
    with closing(sqlite3.connect(path)) as conn:
        (count,) = conn.execute("SELECT count(*) FROM events").fetchone()
        return int(count)


def folder_of(path: Path) -> dict[str, bytes]:
    """Name and content of every file beside a database, except its lock."""
    return {
        file.name: file.read_bytes()
        for file in path.parent.iterdir()
        if file.is_file() and not file.name.endswith(".lock")
    }


def refused(file: Path, database: Path, said: str) -> None:
    """``--verify`` and ``--replace`` both refuse the backup in these words and change nothing."""
    before = folder_of(database)
    assert [line for line in backup.verify(file, {}, database.parent) if said in line]
    with pytest.raises(BackupFault, match="nothing was done: .*" + said.replace("(", r"\(")):
        backup.restore(file, database, {}, LATER, replace=True)
    assert folder_of(database) == before
    assert events(database) == 1
