"""SQLite's own errors reach callers as ``DatabaseFailed``, with the original as its cause."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.domain.database import DatabaseCondition, DatabaseDamaged, DatabaseFailed
from storage.sqlite import engine, simulated, snapshots
from storage.sqlite.damage import FileCheck

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def read_audit_log(path: Path) -> None:
    with engine.audit_log(path) as log:
        log.chain_breaks()


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    path = tmp_path / "foreign.db"
    path.write_bytes(b"no database at all, but long enough to be read as one" * 100)
    return path


@pytest.mark.parametrize(
    "use",
    [
        engine.condition,
        engine.stored_secrets,
        read_audit_log,
        snapshots.is_blank,
        lambda path: snapshots.copy(path, path.with_name("copy.db"), NOW),
        lambda path: snapshots.mark(path, NOW),
    ],
)
def test_a_file_that_is_no_database(foreign: Path, use: Callable[[Path], object]) -> None:
    with pytest.raises(DatabaseFailed, match="not a database") as raised:
        use(foreign)
    assert isinstance(raised.value.__cause__, sqlite3.Error)


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(DatabaseFailed, match="unable to open"):
        FileCheck(tmp_path / "gone.db").run()


async def test_it_is_not_opened_to_serve(foreign: Path) -> None:
    with pytest.raises(DatabaseDamaged):
        await engine.open_database(foreign, lambda: NOW)


def test_a_blank_one_is_well(tmp_path: Path) -> None:
    path = tmp_path / "hazina.db"
    simulated.create_blank(path)
    assert engine.condition(path) == DatabaseCondition(damage=None, pending=())
    assert list(engine.stored_secrets(path)) == []
    with engine.audit_log(path) as log:
        assert log.ends() == []


async def test_migrating_names_every_migration(tmp_path: Path) -> None:
    names = await engine.migrate(tmp_path / "hazina.db", lambda: NOW)
    assert names[0].startswith("0001_")
    assert engine.condition(tmp_path / "hazina.db").pending == ()
