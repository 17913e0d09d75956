"""A damaged file is rejected at start, and later damage is noticed by whatever reads it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.domain.database import DatabaseDamaged, DatabaseFailed, DatabaseUnavailable
from storage.sqlite.damage import FileCheck
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit.held_writer import Box


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A sound database that is not open."""
    box = Box(tmp_path / "hazina.db")
    async with box.opened():
        pass
    return box.path


def spoil(path: Path, table: str) -> None:
    """Overwrite a table's first page, as a failing disk would."""
    with closing(sqlite3.connect(path)) as conn:
        query = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        (page,) = conn.execute(query, (table,)).fetchone()
        (size,) = conn.execute("PRAGMA page_size").fetchone()
        conn.execute("PRAGMA journal_mode = WAL")
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)


async def test_a_sound_file_is_sound(path: Path) -> None:
    assert FileCheck(path).run() is None


async def test_a_damaged_page_is_found_at_the_start(path: Path) -> None:
    spoil(path, "partners")
    box = Box(path)
    with pytest.raises(DatabaseDamaged, match=r"^\S*hazina\.db is damaged, restore a backup: .+$"):
        await Database.open(box.path, box.hand)


async def test_what_is_no_database_is_named_as_damaged(tmp_path: Path) -> None:
    box = Box(tmp_path / "hazina.db")
    box.path.write_text("a letter to somebody\n" * 100)
    with pytest.raises(DatabaseDamaged, match="not a database"):
        await Database.open(box.path, box.hand)


async def test_a_check_of_the_file_finds_what_the_desk_has_not_met(path: Path) -> None:
    box = Box(path)
    async with box.opened() as database:
        spoil(path, "broadcasts")
        assert database.damaged is None
        found = FileCheck(path).run()
        assert found is not None
        assert "\n" not in found


def _look(tx: StoreTx) -> object:
    return tx.conn.execute("SELECT * FROM broadcasts").fetchall()


@pytest.mark.parametrize("writes", [True, False])
async def test_damage_is_noticed_by_whoever_meets_it_and_said_once(
    path: Path, *, writes: bool
) -> None:
    box = Box(path)
    async with box.opened() as database:
        spoil(path, "broadcasts")
        ask = database.write if writes else database.read
        with capture_logs() as logs:
            for _ in range(2):
                with pytest.raises(DatabaseFailed, match="malformed"):
                    await ask(_look)
        assert database.damaged == "database disk image is malformed"
        said = [log["event"] for log in logs if log["log_level"] == "critical"]
        assert said == ["the database is damaged: restore a backup"]


async def test_what_comes_of_damage_is_told_as_damage(path: Path) -> None:
    """This includes a SQLite error that was turned into another exception."""

    def look(tx: StoreTx) -> None:
        try:
            _look(tx)
        except sqlite3.Error as error:
            raise LookupError("no broadcast") from error

    box = Box(path)
    async with box.opened() as database:
        spoil(path, "broadcasts")
        with pytest.raises(LookupError):
            await database.write(look)
        assert database.damaged is not None


async def test_a_refusal_of_the_books_is_no_damage(path: Path) -> None:
    box = Box(path)
    async with box.opened() as database:
        with pytest.raises(DatabaseFailed):
            await database.write(lambda tx: tx.conn.execute("INSERT INTO clock VALUES (2, 0, 0)"))
        with pytest.raises(DatabaseUnavailable):
            await database.write(lambda tx: tx.conn.execute("ROLLBACK"))
        assert database.damaged is None
