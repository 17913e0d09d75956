"""A backup that is not a complete database of this program is refused, with the reason."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.security import backup
from bot.security.backup_file import BackupFault
from storage.sqlite import snapshots
from storage.sqlite.migrate import migrate, shipped
from tests.kit.stopped_desk import LATER, change, events, folder_of, refused


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE kuku (n)",
        "CREATE TABLE schema_migrations (version TEXT NOT NULL PRIMARY KEY)",
    ],
)
def test_the_database_of_another_program_is_refused(
    database: Path, tmp_path: Path, sql: str
) -> None:
    file = tmp_path / "other.db"
    change(sql, file)
    refused(file, database, "another program's")


def test_so_is_one_that_says_so_itself(database: Path, made: Path) -> None:
    change("PRAGMA application_id = 252006673", made)
    refused(made, database, "its application_id is 0xf055111")


def test_one_that_a_newer_program_has_made_is_refused(database: Path, made: Path) -> None:
    change(
        "INSERT INTO schema_migrations (number, name, checksum, applied_at)"
        " VALUES (9000, '9000_later', 'x', '2030-01-01')",
        made,
    )
    refused(made, database, "newer than this program")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DROP TRIGGER transfers_no_update", "the trigger transfers_no_update is not there"),
        (
            "CREATE TRIGGER trap AFTER INSERT ON events BEGIN DELETE FROM codes; END",
            "the trigger trap is not this program's",
        ),
        (
            "DROP TRIGGER audit_log_no_delete; CREATE TRIGGER audit_log_no_delete"
            " BEFORE DELETE ON audit_log BEGIN SELECT 1; END",
            "the trigger audit_log_no_delete is another",
        ),
        ("CREATE TABLE kuku (n)", "the table kuku is not this program's"),
        ("DROP TABLE slots", "the index slots_by_age is not there, and 1 more"),
        ("DROP VIEW topups; CREATE VIEW topups AS SELECT 1", "the view topups is another"),
        ("CREATE UNIQUE INDEX one ON transfers (amount_cents)", "the index one is not this"),
        ("ALTER TABLE people ADD COLUMN boss TEXT", "the table people is another"),
        ("DELETE FROM schema_migrations", "another program's"),
        ("DELETE FROM schema_migrations WHERE number > 7", "not made as its version is"),
        ("DELETE FROM schema_migrations WHERE number = 5", "comes before one"),
    ],
)
def test_one_that_is_not_made_as_its_version_is_refused(
    database: Path, made: Path, sql: str, said: str
) -> None:
    change(sql, made)
    assert backup.verify(made, {}, database.parent)
    with pytest.raises(BackupFault, match=f"nothing was done: .*{said}"):
        backup.restore(made, database, {}, LATER, replace=True)
    assert events(database) == 1


def test_a_trap_that_calls_itself_statistics_is_found(database: Path, made: Path) -> None:
    change("CREATE TRIGGER trap AFTER INSERT ON events BEGIN DELETE FROM codes; END", made)
    change(
        "PRAGMA writable_schema = ON; UPDATE sqlite_master SET type = 'table',"
        " name = 'sqlite_stat1', tbl_name = 'sqlite_stat1' WHERE name = 'trap'",
        made,
    )
    with pytest.raises(BackupFault, match="nothing was done"):
        backup.restore(made, database, {}, LATER, replace=True)


def test_no_trigger_of_a_refused_one_has_run(database: Path, tmp_path: Path) -> None:
    """Migrating an older backup would run statements that fire triggers planted in it."""
    older = tmp_path / "older.db"
    with closing(sqlite3.connect(older, isolation_level=None)) as conn:
        migrate(conn, shipped()[:7])
    change(
        "CREATE TRIGGER trap AFTER INSERT ON schema_migrations BEGIN"
        " SELECT RAISE(ABORT, 'it has run'); END",
        older,
    )
    refused(older, database, "the trigger trap is not this")


@pytest.mark.parametrize("version", [1, 7, len(shipped())])
def test_one_of_any_version_of_this_program_is_taken(
    database: Path, tmp_path: Path, version: int
) -> None:
    older = tmp_path / "older.db"
    with closing(sqlite3.connect(older, isolation_level=None)) as conn:
        conn.execute("PRAGMA journal_mode = WAL")
        migrate(conn, shipped()[:version])
    change("ANALYZE", older)
    assert backup.verify(older, {}, database.parent) == []
    backup.restore(older, database, {}, LATER, replace=True)
    assert set(folder_of(database)) == {"hazina.db", "hazina.db.before-20260302T070000Z"}


def test_one_without_a_mark_is_not_older_than_what_is_in_it(database: Path, made: Path) -> None:
    change(
        "DELETE FROM restores; INSERT INTO events (channel, event_id, decided_at)"
        " VALUES ('telegram', '1', 1772434800000)",  # 07:00
        made,
    )
    os.utime(made, (0, 0))
    backup.restore(made, database, {}, LATER, replace=True)
    with closing(sqlite3.connect(database)) as conn:
        assert conn.execute("SELECT made_at FROM restores").fetchall() == [(1772434800000,)]


def test_what_was_looked_at_is_what_is_put_in_place(
    database: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = snapshots.faults

    def swapped(plain: Path) -> Iterator[str]:
        made.write_bytes(b"another file by now")
        assert stat.S_IMODE(plain.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(plain.stat().st_mode) == 0o600
        return looked(plain)

    monkeypatch.setattr(snapshots, "faults", swapped)
    backup.restore(made, database, {}, LATER, replace=True)
    assert events(database) == 1
