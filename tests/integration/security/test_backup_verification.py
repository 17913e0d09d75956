"""What is not all of a database of this program is neither restored nor backed up, and says why."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from bot.security import backup
from bot.security.backup_file import BackupFault
from bot.security.keyring import new_key, read_keys
from storage.sqlite import snapshots
from storage.sqlite.database import Database
from storage.sqlite.database_file import DatabaseInUse
from storage.sqlite.empty_database import empty_database
from storage.sqlite.migrate import migrate, shipped

AT = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
KEYS = {"vault": b"v" * 32}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Of a desk that has stopped, with one event in it."""
    path = tmp_path / "desk" / "hazina.db"
    path.parent.mkdir()
    path.write_bytes(empty_database())
    change("INSERT INTO events (channel, event_id, decided_at) VALUES ('telegram', '0', 1)", path)
    return path


@pytest.fixture
def made(database: Path, tmp_path: Path) -> Path:
    return backup.make(database, tmp_path / "backups", {}, AT)


def change(sql: str, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.executescript(sql)


def events(path: Path) -> int:
    with closing(sqlite3.connect(path)) as conn:
        (count,) = conn.execute("SELECT count(*) FROM events").fetchone()
        return int(count)


def folder_of(path: Path) -> dict[str, bytes]:
    """What is beside a database, but for its lock."""
    return {
        file.name: file.read_bytes()
        for file in path.parent.iterdir()
        if file.is_file() and not file.name.endswith(".lock")
    }


def refused(file: Path, database: Path, said: str) -> None:
    """By ``--verify`` and by ``--replace``, in these words, and nothing is touched."""
    before = folder_of(database)
    assert [line for line in backup.verify(file, {}, database.parent) if said in line]
    with pytest.raises(BackupFault, match="nothing was done: .*" + said.replace("(", r"\(")):
        backup.restore(file, database, {}, LATER, replace=True)
    assert folder_of(database) == before
    assert events(database) == 1


# The file ---------------------------------------------------------------------------------------


def test_an_empty_file_is_no_backup(database: Path, tmp_path: Path) -> None:
    file = tmp_path / "empty.db"
    file.touch()
    refused(file, database, "it is empty")


def test_neither_is_a_database_in_which_nothing_is(database: Path, tmp_path: Path) -> None:
    file = tmp_path / "hollow.db"
    change("CREATE TABLE notes (n); DROP TABLE notes", file)
    refused(file, database, "there is nothing in it")


@pytest.mark.parametrize("content", [b"PK\x03\x04" + bytes(5_000), b"SQLite", b"hazina sealed"])
def test_neither_is_any_other_file(database: Path, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "other.zip"
    file.write_bytes(content)
    refused(file, database, "no SQLite database")


@pytest.mark.parametrize("gone", [1, 100, 2_048, 4_095, 4_096, 100_000])
def test_one_that_is_cut_off_is_refused_wherever_the_cut_is(
    database: Path, made: Path, gone: int
) -> None:
    made.write_bytes(made.read_bytes()[:-gone])
    refused(made, database, "cut off")


def test_one_with_more_behind_it_is_not_whole_either(database: Path, made: Path) -> None:
    made.write_bytes(made.read_bytes() + bytes(4_096))
    refused(made, database, "not whole")


def test_one_whose_pages_are_damaged_is_refused(database: Path, made: Path) -> None:
    content = bytearray(made.read_bytes())
    content[4_096 * 3 : -4_096] = os.urandom(len(content) - 4_096 * 4)
    made.write_bytes(content)
    assert backup.verify(made, {}, database.parent)
    with pytest.raises(BackupFault, match="nothing was done"):
        backup.restore(made, database, {}, LATER, replace=True)


def test_damage_is_told_in_words_wherever_it_is(database: Path, made: Path) -> None:
    whole, random = made.read_bytes(), Random(18)
    found = 0
    for _ in range(20):
        content = bytearray(whole)
        pages = len(content) // 4_096
        here, there = (4_096 * random.randrange(pages) for _ in range(2))
        content[here : here + 4_096] = whole[there : there + 4_096]
        made.write_bytes(content)
        found += bool(backup.verify(made, {}, database.parent))
    assert found > 5  # in the others one empty page took the place of another


def test_a_name_that_is_damaged_is_told_too(database: Path, made: Path) -> None:
    made.write_bytes(made.read_bytes().replace(b"TABLE people", b"T\xf5BLE people"))
    refused(made, database, "cannot be read: malformed database schema")


@pytest.mark.parametrize("tail", ["-wal", "-journal"])
def test_one_that_a_log_beside_it_has_parts_of_is_refused(
    database: Path, made: Path, tail: str
) -> None:
    log = made.with_name(made.name + tail)
    log.write_bytes(b"frames")
    refused(made, database, f"{tail} is beside it")
    log.write_bytes(b"")  # what a reader leaves
    assert backup.verify(made, {}, database.parent) == []


def test_the_log_beside_what_a_link_leads_to_counts(
    database: Path, made: Path, tmp_path: Path
) -> None:
    made.with_name(f"{made.name}-wal").write_bytes(b"frames")
    link = tmp_path / "latest.db"
    link.symlink_to(made)
    refused(link, database, "-wal is beside it")


def test_a_backup_may_be_named_by_a_link(database: Path, made: Path, tmp_path: Path) -> None:
    link = tmp_path / "latest.db"
    link.symlink_to(made)
    assert backup.verify(link, {}, database.parent) == []
    backup.restore(link, database, {}, LATER, replace=True)
    assert made.exists()
    assert events(database) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda path: os.mkfifo(path),
        lambda path: path.mkdir(),
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: path.symlink_to(path),
        lambda path: path.symlink_to("gone"),
    ],
    ids=["pipe", "folder", "device", "loop", "dangling"],
)
def test_what_is_no_file_is_refused_and_not_waited_for(
    database: Path, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    file = tmp_path / "strange.db"
    make(file)
    with pytest.raises((BackupFault, OSError)):
        backup.verify(file, {}, database.parent)
    with pytest.raises((BackupFault, OSError)):
        backup.restore(file, database, {}, LATER, replace=True)
    assert events(database) == 1


def test_a_sealed_one_of_another_key_does_not_open(database: Path, tmp_path: Path) -> None:
    sealed = backup.make(database, tmp_path / "backups", KEYS, AT)
    for keys, said in (({}, "not among BACKUP_KEYS"), (read_keys(new_key("vault")), "changed")):
        (line,) = backup.verify(sealed, keys, database.parent)
        assert said in line
        with pytest.raises(BackupFault, match=said):
            backup.restore(sealed, database, keys, LATER, replace=True)


def test_what_was_sealed_is_looked_at_as_well(database: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.db.sealed"
    with (tmp_path / "nothing").open("w+b") as nothing, empty.open("wb") as target:
        backup.sealed_file.seal(nothing, target, "vault", KEYS["vault"])
    assert backup.verify(empty, KEYS, database.parent) == ["it is empty"]


# What is in it ----------------------------------------------------------------------------------


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
    """An older one would be brought up to date by statements that fire what is laid in it."""
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


# Where it is put --------------------------------------------------------------------------------


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
    for name, content in kept.items():  # as a killed desk leaves it
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


# What is backed up ------------------------------------------------------------------------------


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
