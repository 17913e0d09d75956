"""Only one process opens a file under any name, and it notices when the file disappears."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from services.domain.database import DatabaseInUse, DatabaseUnavailable, LockingUnsupported
from storage.sqlite.database import Database
from storage.sqlite.database_file import DatabaseFile, locked
from tests.kit.held_writer import Box, noted

SECOND = (
    "import sys, pathlib\n"
    "from storage.sqlite.database_file import DatabaseFile, DatabaseInUse\n"
    "try: DatabaseFile.hold(pathlib.Path(sys.argv[1]))\n"
    "except DatabaseInUse: print('in use')\n"
)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "hazina.db")


@pytest.fixture
async def database(box: Box, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    monkeypatch.setattr("storage.sqlite.batch.FILE_CHECK_EVERY_S", 0)
    async with box.opened() as database:
        yield database


async def _second_desk(path: Path) -> str:
    """Return what another process gets when it opens the file under this name."""
    found = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", SECOND, path], capture_output=True, check=True
    )
    return found.stdout.decode().strip()


async def test_a_second_desk_is_refused_by_any_name_of_the_file(
    box: Box, database: Database, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "soft.db").symlink_to(box.path)
    os.link(box.path, elsewhere / "hard.db")
    for name in (box.path, elsewhere / "soft.db", elsewhere / "hard.db"):
        assert await _second_desk(name) == "in use", name


async def test_a_second_desk_is_refused_after_the_lock_beside_it_was_deleted(
    box: Box, database: Database
) -> None:
    box.path.with_name("hazina.db.lock").unlink()
    assert await _second_desk(box.path) == "in use"


@pytest.fixture
def mounted(box: Box, tmp_path: Path) -> Iterator[Path]:
    """The file under another name, by a bind mount rather than a link in the file system."""
    box.path.touch(0o600)
    other = tmp_path / "mounted.db"
    other.touch()
    mount = ["mount", "--bind", str(box.path), str(other)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount, and not everywhere")
    yield other
    subprocess.run(["umount", other], check=True)


async def test_a_second_desk_is_refused_where_the_file_is_mounted(
    mounted: Path, database: Database
) -> None:
    assert await _second_desk(mounted) == "in use"


async def test_sqlite_keeps_its_own_locks_beside_ours(box: Box, database: Database) -> None:
    """A backup and `audit verify` read while Hazina writes."""
    await database.write(box.note(1))
    program = "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute('SELECT 1'))"
    found = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program, box.path], capture_output=True, check=True
    )
    assert found.stdout == b"(1,)\n"
    assert await database.write(box.note(2)) == 2


def test_what_is_not_there_yet_can_be_locked_and_is_not_made(tmp_path: Path) -> None:
    with locked(tmp_path / "new.db"):
        with pytest.raises(DatabaseInUse):
            DatabaseFile.hold(tmp_path / "new.db")
        assert not (tmp_path / "new.db").exists()


@pytest.mark.parametrize("answer", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: int
) -> None:
    def refuses(handle: int, how: int) -> None:
        raise OSError(answer, os.strerror(answer))

    monkeypatch.setattr(fcntl, "flock", refuses)
    with pytest.raises(
        LockingUnsupported, match=r"file system of .*hazina\.db has no locks .*local disk"
    ):
        DatabaseFile.hold(tmp_path / "hazina.db")


@pytest.mark.skipif(sys.platform != "linux", reason="only the name is locked elsewhere")
def test_a_lock_that_would_keep_sqlite_out_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over NFS, Linux turns it into a lock on the whole file."""

    def is_held(*_: object) -> None:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(fcntl, "lockf", is_held)
    with pytest.raises(LockingUnsupported, match="local disk"):
        DatabaseFile.hold(tmp_path / "hazina.db")


# A file that disappears ----------------------------------------------------------------------


def _move(path: Path, to: str, tails: tuple[str, ...] = ("", "-wal", "-shm")) -> None:
    for tail in tails:
        path.with_name(path.name + tail).rename(path.with_name(to + tail))


async def test_nothing_is_written_to_a_file_that_has_gone(box: Box, database: Database) -> None:
    await database.write(box.note(1))
    _move(box.path, "gone.db")
    with pytest.raises(DatabaseUnavailable, match=r"^hazina\.db is gone$"):
        await database.write(box.note(2))
    assert not box.path.exists()  # no other file was created in its place


async def test_nothing_is_written_beside_another_file(box: Box, database: Database) -> None:
    content = box.path.read_bytes()
    _move(box.path, "gone.db", ("",))
    box.path.write_bytes(content)
    with pytest.raises(DatabaseUnavailable, match=r"^hazina\.db is another file$"):
        await database.write(box.note(2))
    assert box.path.read_bytes() == content


@pytest.mark.parametrize("tail", ["-wal", "-shm"])
async def test_nothing_is_written_when_what_belongs_to_it_has_gone(
    box: Box, database: Database, tail: str
) -> None:
    box.path.with_name(f"hazina.db{tail}").unlink()
    with pytest.raises(DatabaseUnavailable, match=rf"^hazina\.db{tail} is gone$"):
        await database.write(box.note(1))


async def test_a_link_that_leads_elsewhere_now_is_another_file(
    box: Box, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("storage.sqlite.batch.FILE_CHECK_EVERY_S", 0)
    (tmp_path / "other.db").touch()
    link = tmp_path / "link.db"
    link.symlink_to(box.path)
    database = await Database.open(link, box.hand)
    try:
        link.unlink()
        link.symlink_to(tmp_path / "other.db")
        with pytest.raises(DatabaseUnavailable, match=r"^link\.db is another file$"):
            await database.write(box.note(1))
    finally:
        await database.close()


async def test_the_desk_goes_on_when_its_file_is_back(box: Box, database: Database) -> None:
    await database.write(box.note(1))
    _move(box.path, "gone.db")
    with pytest.raises(DatabaseUnavailable):
        await database.write(box.note(2))
    for tail in ("", "-wal", "-shm"):
        box.path.with_name(f"gone.db{tail}").rename(box.path.with_name(f"hazina.db{tail}"))
    assert await database.write(box.note(3)) == 3
    assert await database.read(noted) == [1, 3]


async def test_another_file_is_not_opened_by_a_writer_that_failed(
    box: Box, database: Database
) -> None:
    await database.write(box.note(1))
    with pytest.raises(DatabaseUnavailable):
        await database.write(lambda tx: tx.conn.execute("ROLLBACK"))
    _move(box.path, "gone.db")
    with pytest.raises(DatabaseUnavailable, match="gone"):
        await database.write(box.note(2))
    assert not box.path.exists()
