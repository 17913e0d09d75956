"""A database is opened and closed once, with or without threads."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.domain.database import (
    DatabaseFailed,
    DatabaseInUse,
    DatabaseUnavailable,
    MigrationError,
    Priority,
    SimulatedCrash,
)
from services.domain.partner import Partner
from storage.sqlite.database import READERS, Database
from storage.sqlite.empty_database import in_memory
from storage.transaction import StoreTx
from tests.kit.held_writer import PATIENCE_S, START, Box, Gate, hear, noted, send

# Opening and closing ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("PRAGMA synchronous", 2),
        ("PRAGMA journal_mode", "wal"),
        ("PRAGMA foreign_keys", 1),
        ("PRAGMA recursive_triggers", 1),
        ("PRAGMA busy_timeout", 5000),
    ],
)
async def test_the_writer_is_set_up_to_keep_its_word(
    database: Database, pragma: str, value: Any
) -> None:
    assert await database.write(lambda tx: tx.conn.execute(pragma).fetchone()[0]) == value


async def test_a_second_opening_is_told_that_the_database_is_in_use(
    box: Box, database: Database
) -> None:
    with pytest.raises(DatabaseInUse, match=r"hazina\.db: stop it first"):
        await Database.open(box.path, box.hand)
    assert await database.write(box.note(1)) == 1


async def test_a_second_process_is_told_that_the_database_is_in_use(
    box: Box, database: Database
) -> None:
    program = (
        "import fcntl, os, sys\n"
        "handle = os.open(sys.argv[1] + '.lock', os.O_RDWR)\n"
        "try: fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
        "except OSError: print('in use')\n"
    )
    found = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-Ic", program, box.path], capture_output=True, check=True
    )
    assert found.stdout == b"in use\n"


async def test_a_closed_database_can_be_opened_again(box: Box) -> None:
    async with box.opened() as database:
        await database.write(box.note(1))
    async with box.opened() as database:
        assert await database.read(noted) == [1]


async def test_closing_leaves_no_thread_behind(box: Box) -> None:
    before = set(threading.enumerate())
    async with box.opened() as database:
        await database.write(box.note(1))
        ours = set(threading.enumerate()) - before
        assert len(ours) == 1 + READERS
    for thread in ours:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


async def test_close_finishes_what_waits(box: Box) -> None:
    async with box.opened() as database:
        gate = Gate()
        tasks = await send(database, [lambda tx: gate.pass_through()])
        await gate.reached()
        tasks += await send(database, [box.note(1), box.note(2)], Priority.JOBS)
        closing = asyncio.ensure_future(database.close())
        await asyncio.sleep(0.01)
        assert not closing.done()
        gate.open()
        await hear([closing])
        assert all(task.done() for task in tasks)
        assert await hear(tasks) == [None, 1, 2]
    async with box.opened() as database:
        assert await database.read(noted) == [1, 2]


async def test_close_waits_for_a_read_that_is_running(box: Box) -> None:
    before = set(threading.enumerate())
    database = await Database.open(box.path, box.hand)
    ours = set(threading.enumerate()) - before
    assert len(ours) == 3
    gate = Gate()
    reading = asyncio.ensure_future(database.read(lambda tx: gate.pass_through()))
    await gate.reached()
    closing = asyncio.ensure_future(database.close())
    await asyncio.sleep(0.05)
    gate.open()
    await hear([reading, closing])
    for thread in ours:
        await asyncio.to_thread(thread.join, 1)
    alive = [thread for thread in ours if thread.is_alive()]
    await database.close()
    assert not alive


async def test_a_closed_database_writes_no_more(box: Box) -> None:
    async with box.opened() as database:
        pass
    other = await Database.open(box.path, box.hand)  # it holds the lock now
    try:
        with pytest.raises(DatabaseUnavailable, match="closed"):
            await database.write(box.note(1))
    finally:
        await database.close()
        await other.close()


async def test_a_closed_database_is_not_read_any_more(box: Box) -> None:
    async with box.opened() as database:
        pass
    with pytest.raises(DatabaseUnavailable, match="closed"):
        await asyncio.wait_for(database.read(noted), 1)


async def test_a_write_that_comes_while_it_closes_opens_nothing(box: Box) -> None:
    before = set(threading.enumerate())
    database = await Database.open(box.path, box.hand)
    closing = asyncio.ensure_future(database.close())
    late: list[asyncio.Task[Any]] = []
    while not closing.done():
        late += await send(database, [box.note(1)])
    assert {type(told) for told in await hear(late[1:])} == {DatabaseUnavailable}
    await hear([closing, *late])
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE_S)
    assert not [thread for thread in set(threading.enumerate()) - before if thread.is_alive()]


async def test_another_name_of_the_file_is_the_same_database(
    box: Box, database: Database, tmp_path: Path
) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(box.path)
    with pytest.raises(DatabaseInUse):
        await (await Database.open(link, box.hand)).close()


async def test_a_database_without_its_tables_is_refused_when_not_migrating(tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="0001_top_up is pending: run `hazina migrate`"):
        await Database.open(tmp_path / "new.db", lambda: START, migrating=False)


async def test_a_refused_opening_gives_the_lock_back(box: Box) -> None:
    with pytest.raises(MigrationError):
        await Database.open(box.path, box.hand, migrating=False)
    async with box.opened() as database:
        assert await database.write(box.note(1)) == 1


async def test_a_migrated_database_opens_without_migrating(box: Box) -> None:
    async with box.opened():
        pass
    database = await Database.open(box.path, box.hand, migrating=False)
    try:
        assert await database.read(noted) == []
    finally:
        await database.close()


async def test_the_folder_of_a_new_database_is_made(tmp_path: Path) -> None:
    path = tmp_path / "not" / "yet" / "hazina.db"
    await (await Database.open(path, lambda: START)).close()
    assert path.exists()


async def test_a_new_database_is_its_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "hazina.db"
    database = await Database.open(path, lambda: datetime(2026, 3, 2, tzinfo=UTC))
    await database.write(lambda tx: tx.people.forget())
    modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}  # noqa: ASYNC240
    await database.close()
    assert set(modes.values()) == {0o600}, modes


async def test_nobody_waits_for_ever_when_the_clock_fails(tmp_path: Path) -> None:
    well = True

    def now() -> datetime:
        if well:
            return START
        raise OSError("no clock")

    database = await Database.open(tmp_path / "hazina.db", now)
    await database.write(lambda tx: None)
    well = False
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(DatabaseUnavailable):
            await database.write(lambda tx: None)
    well = True
    await database.write(lambda tx: None)
    await database.close()


# Without threads


async def test_without_threads_a_read_that_writes_is_an_error(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "hazina.db", lambda: START, threads=False)
    with pytest.raises(DatabaseFailed, match="only reading"):
        await database.read(lambda tx: tx.people.add_partner(Partner("ACME")))
    assert await database.read(lambda tx: tx.people.partner("ACME")) is None
    await database.close()


async def test_without_threads_nothing_is_read_after_a_kill(tmp_path: Path) -> None:
    def probe(point: str) -> None:
        raise SimulatedCrash(point)

    database = await Database.open(
        tmp_path / "hazina.db", lambda: START, probe=probe, threads=False
    )
    with pytest.raises(asyncio.CancelledError):
        await database.write(lambda tx: tx.people.add_partner(Partner("ACME")))
    with pytest.raises(asyncio.CancelledError):
        await database.read(lambda tx: tx.people.partner("ACME"))
    await database.close()


async def test_a_lone_function_that_raises_leaves_nothing(database: Database) -> None:
    def write(tx: StoreTx) -> None:
        tx.people.add_partner(Partner("ACME"))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await database.write(write)
    assert await database.read(lambda tx: tx.people.partner("ACME")) is None
    await database.write(lambda tx: tx.people.add_partner(Partner("ACME")))
    assert await database.read(lambda tx: tx.people.partner("ACME")) is not None


async def test_in_memory_a_kill_leaves_what_was_committed_and_nothing_else() -> None:
    armed = False

    def probe(point: str) -> None:
        if armed and point == "commit":
            raise SimulatedCrash(point)

    with closing(in_memory()) as memory:
        nowhere = Path("nowhere") / "hazina.db"
        database = await Database.open(
            nowhere, lambda: START, probe=probe, threads=False, memory=memory
        )
        await database.write(lambda tx: tx.people.add_partner(Partner("ACME")))
        armed = True
        with pytest.raises(asyncio.CancelledError):
            await database.write(lambda tx: tx.people.add_partner(Partner("OTHER")))
        await database.close()
        armed = False
        again = await Database.open(
            nowhere, lambda: START, probe=probe, threads=False, memory=memory
        )
        assert await again.read(lambda tx: tx.people.partner("ACME")) is not None
        assert await again.read(lambda tx: tx.people.partner("OTHER")) is None
        await again.close()
    assert not nowhere.parent.exists()


async def test_the_database_of_another_program_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("CREATE TABLE kuku (n)")
    content = path.read_bytes()
    with pytest.raises(MigrationError, match="another program's"):
        await Database.open(path, lambda: START)
    assert path.read_bytes() == content


async def test_a_database_without_its_guards_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "hazina.db"
    await (await Database.open(path, lambda: START)).close()
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("DROP TRIGGER transfers_no_update")
    with pytest.raises(MigrationError, match="the trigger transfers_no_update is not there"):
        await Database.open(path, lambda: START)
