"""A file that is not a whole backup is not restored, and the reason is given."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from bot.security import backup
from bot.security.backup_file import BackupFault
from bot.security.keyring import new_key, read_keys
from tests.kit.stopped_desk import AT, LATER, change, events, refused

KEYS = {"vault": b"v" * 32}


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
    assert found > 5  # in the others, one empty page replaced another


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
    log.write_bytes(b"")  # as a reader leaves it
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
