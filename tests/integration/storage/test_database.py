"""One writer that commits many functions at once, and readers beside it."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from storage.sqlite.batch import BATCH_MS, SimulatedCrash
from storage.sqlite.database import (
    BATCH_MAX,
    JOBS_SHARE,
    READERS,
    Database,
    DatabaseUnavailable,
    Priority,
)
from storage.sqlite.database_file import DatabaseInUse
from storage.sqlite.empty_database import in_memory
from storage.sqlite.migrate import MigrationError
from storage.transaction import SqliteTx
from tests.kit.held_writer import PATIENCE_S, START, Box, Gate, hear, held, noted, send

COMMIT_ONE_BY_ONE = BATCH_MS / 1000 + 0.001  # seconds a function takes to end its batch


class Stopwatch:
    """What the writer measures a batch by; stands still, so that a slow machine changes nothing."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture(autouse=True)
def stopwatch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    watch = Stopwatch()
    clock = SimpleNamespace(monotonic=watch.monotonic, sleep=time.sleep)
    monkeypatch.setattr("storage.sqlite.batch.time", clock)
    return watch


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "hazina.db")


@pytest.fixture
async def database(box: Box) -> AsyncIterator[Database]:
    async with box.opened() as database:
        yield database


# Committing together ------------------------------------------------------------------------


async def test_a_caller_hears_back_only_after_the_commit(box: Box, database: Database) -> None:
    gate = box.probe.holds["commit"] = Gate()
    (task,) = await send(database, [box.note(1)])
    await gate.reached()
    await asyncio.sleep(0.01)
    assert not task.done()
    gate.open()
    assert await hear([task]) == [1]


async def test_what_a_caller_was_told_of_is_there_for_everybody(
    box: Box, database: Database
) -> None:
    await database.write(box.note(1))
    outside = sqlite3.connect(box.path)
    assert outside.execute("SELECT number FROM notes").fetchall() == [(1,)]
    outside.close()


async def test_what_waits_goes_into_one_commit(box: Box, database: Database) -> None:
    async with held(database):
        tasks = await send(database, [box.note(n) for n in range(100)])
    assert await hear(tasks) == list(range(100))
    assert box.probe.commits == [0, 100]


async def test_a_function_that_raises_is_rolled_back_alone(box: Box, database: Database) -> None:
    def fails(tx: SqliteTx) -> None:
        box.note(2)(tx)
        raise LookupError("mine")

    async with held(database):
        tasks = await send(database, [box.note(1), fails, box.note(3)])
    told = await hear(tasks)
    assert [told[0], repr(told[1]), told[2]] == [1, "LookupError('mine')", 3]
    assert await database.read(noted) == [1, 3]
    assert box.probe.commits == [0, 3]


async def test_a_statement_that_the_database_refuses_is_rolled_back_alone(
    box: Box, database: Database
) -> None:
    def fails(tx: SqliteTx) -> None:
        box.note(2)(tx)
        tx.conn.execute("INSERT INTO notes (number) VALUES (NULL)")

    async with held(database):
        tasks = await send(database, [box.note(1), fails, box.note(3)])
    assert [type(told) for told in await hear(tasks)] == [int, sqlite3.IntegrityError, int]
    assert await database.read(noted) == [1, 3]


async def test_a_refusal_that_is_returned_stays_committed(box: Box, database: Database) -> None:
    def refuse(tx: SqliteTx) -> Refusal:
        box.note(1)(tx)
        return Refusal("wrong_code")

    assert await database.write(refuse) == Refusal("wrong_code")
    assert await database.read(noted) == [1]


async def test_a_rolled_back_function_leaves_nothing_in_the_caches(database: Database) -> None:
    def add(tx: SqliteTx) -> None:
        tx.people.add_partner(Partner("DEMO"))
        person_id = tx.people.add_person(
            "DEMO", "Amina", Role.OWNER, Phone("254712345678"), None, "en"
        )
        tx.people.link("terminal", "1", person_id)
        assert tx.people.at("terminal", "1") is not None
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(add)
    assert await database.write(lambda tx: tx.people.at("terminal", "1")) is None


# Order and size -----------------------------------------------------------------------------


async def test_people_go_before_jobs(box: Box, database: Database) -> None:
    async with held(database):
        jobs = await send(database, [box.note(10), box.note(11)], Priority.JOBS)
        people = await send(database, [box.note(1), box.note(2)], Priority.PEOPLE)
    await hear([*jobs, *people])
    assert await database.read(noted) == [1, 2, 10, 11]


async def test_people_who_would_fill_a_batch_leave_the_jobs_their_share(
    box: Box, database: Database
) -> None:
    jobs = [box.note(-n) for n in range(1, JOBS_SHARE + 11)]
    async with held(database):
        tasks = await send(database, jobs, Priority.JOBS)
        tasks += await send(database, [box.note(n) for n in range(BATCH_MAX)])
    await hear(tasks)
    assert box.probe.commits == [0, BATCH_MAX, JOBS_SHARE + 10]
    first = (await database.read(noted))[:BATCH_MAX]
    assert sum(number < 0 for number in first) == JOBS_SHARE


async def test_the_share_of_jobs_is_no_larger_than_they_are_many(
    box: Box, database: Database
) -> None:
    async with held(database):
        tasks = await send(database, [box.note(-1)], Priority.JOBS)
        tasks += await send(database, [box.note(n) for n in range(BATCH_MAX)])
    await hear(tasks)
    assert box.probe.commits == [0, BATCH_MAX, 1]
    assert (await database.read(noted))[-2:] == [-1, BATCH_MAX - 1]


async def test_jobs_fill_what_people_leave_free(box: Box, database: Database) -> None:
    async with held(database):
        jobs = [box.note(-n) for n in range(1, BATCH_MAX)]
        tasks = await send(database, jobs, Priority.JOBS)
        tasks += await send(database, [box.note(1)])
    await hear(tasks)
    assert box.probe.commits == [0, BATCH_MAX]


async def test_a_batch_holds_no_more_than_its_limit(box: Box, database: Database) -> None:
    numbers = range(BATCH_MAX + 44)
    async with held(database):
        tasks = await send(database, [box.note(n) for n in numbers])
    assert await hear(tasks) == list(numbers)
    assert box.probe.commits == [0, BATCH_MAX, 44]
    assert await database.read(noted) == list(numbers)


def test_the_limits_are_those_of_the_design() -> None:
    assert (BATCH_MAX, JOBS_SHARE, BATCH_MS) == (256, 32, 20)


async def test_a_batch_that_takes_long_commits_what_it_has(
    box: Box, database: Database, stopwatch: Stopwatch
) -> None:
    def slow(tx: SqliteTx) -> None:
        box.note(1)(tx)
        stopwatch.seconds += COMMIT_ONE_BY_ONE

    async with held(database):
        tasks = await send(database, [slow, box.note(2), box.note(3)])
    await hear(tasks)
    assert box.probe.commits == [0, 1, 2]


async def test_a_batch_within_its_time_is_not_cut(
    box: Box, database: Database, stopwatch: Stopwatch
) -> None:
    def steady(tx: SqliteTx) -> None:
        box.note(1)(tx)
        stopwatch.seconds += 0.005

    async with held(database):
        tasks = await send(database, [steady] * 4)
    await hear(tasks)
    assert box.probe.commits == [0, 4]


async def test_those_left_over_keep_their_place_before_later_callers(
    box: Box, database: Database, stopwatch: Stopwatch
) -> None:
    gate = Gate()

    def slow(tx: SqliteTx) -> None:
        box.note(1)(tx)
        stopwatch.seconds += COMMIT_ONE_BY_ONE
        gate.pass_through()

    async with held(database):
        tasks = await send(database, [slow, box.note(2), box.note(3)])
    await gate.reached()
    tasks += await send(database, [box.note(4)])
    gate.open()
    await hear(tasks)
    assert await database.read(noted) == [1, 2, 3, 4]


async def test_jobs_left_over_from_a_long_batch_do_not_overtake_people(
    box: Box, database: Database, stopwatch: Stopwatch
) -> None:
    gate = Gate()

    def slow(tx: SqliteTx) -> None:
        stopwatch.seconds += COMMIT_ONE_BY_ONE
        gate.pass_through()

    async with held(database):
        tasks = await send(database, [slow])
        tasks += await send(database, [box.note(10), box.note(11)], Priority.JOBS)
    await gate.reached()
    tasks += await send(database, [box.note(1)])
    gate.open()
    await hear(tasks)
    assert await database.read(noted) == [1, 10, 11]


# Callers that go away -----------------------------------------------------------------------


async def test_the_function_of_a_caller_that_has_gone_away_is_not_run(
    box: Box, database: Database
) -> None:
    async with held(database):
        tasks = await send(database, [box.note(1), box.note(2), box.note(3)])
        tasks[1].cancel()
        await asyncio.sleep(0)
    await hear(tasks)
    assert await database.read(noted) == [1, 3]


async def test_a_caller_that_leaves_while_its_function_runs_does_not_hold_the_queue(
    box: Box, database: Database
) -> None:
    gate = Gate()
    (leaver,) = await send(database, [lambda tx: gate.pass_through()])
    await gate.reached()
    (other,) = await send(database, [box.note(1)])
    leaver.cancel()
    await asyncio.sleep(0)
    gate.open()
    assert await hear([other]) == [1]


async def test_nothing_counts_as_in_flight_once_all_callers_have_heard(
    box: Box, database: Database
) -> None:
    async with held(database):
        tasks = await send(database, [box.note(1), box.note(2)])
        assert database.in_flight == 3
        tasks[0].cancel()
    await hear(tasks)
    assert database.in_flight == 0


# Time ---------------------------------------------------------------------------------------


async def test_the_moment_is_read_once_a_function(box: Box, database: Database) -> None:
    def twice(tx: SqliteTx) -> tuple[datetime, datetime]:
        before = tx.now
        box.hand.move(60)
        return before, tx.now

    before, after = await database.write(twice)
    assert before == after == START


async def test_each_function_of_a_batch_has_its_own_moment(box: Box, database: Database) -> None:
    def moves(tx: SqliteTx) -> datetime:
        box.hand.move(1)
        return tx.now

    async with held(database):
        tasks = await send(database, [moves, moves])
    first, second = await hear(tasks)
    assert second - first == timedelta(seconds=1)


async def test_the_moment_stands_still_for_a_clock_that_leaps_back_a_little(
    box: Box, database: Database
) -> None:
    box.hand.move(100)
    latest = await database.write(lambda tx: tx.now)
    box.hand.move(-5)
    assert await database.write(lambda tx: tx.now) == latest
    box.hand.move(6)
    assert await database.write(lambda tx: tx.now) == latest + timedelta(seconds=1)


async def test_the_moment_follows_a_clock_that_was_set_back(box: Box, database: Database) -> None:
    box.hand.move(100)
    latest = await database.write(lambda tx: tx.now)
    box.hand.move(-3600)
    assert await database.write(lambda tx: tx.now) == latest - timedelta(hours=1)


# Readers ------------------------------------------------------------------------------------


async def test_a_read_sees_one_snapshot_however_long_it_lasts(box: Box, database: Database) -> None:
    await database.write(box.note(1))
    gate = Gate()

    def look_twice(tx: SqliteTx) -> tuple[list[int], list[int]]:
        before = noted(tx)
        gate.pass_through()
        return before, noted(tx)

    reading = asyncio.ensure_future(database.read(look_twice))
    await gate.reached()
    await database.write(box.note(2))
    gate.open()
    assert await hear([reading]) == [([1], [1])]


async def test_a_read_after_a_write_sees_it(box: Box, database: Database) -> None:
    for n in range(2 * READERS):
        await database.write(box.note(n))
        assert (await database.read(noted))[-1] == n


async def test_a_read_does_not_wait_for_the_writer(box: Box, database: Database) -> None:
    await database.write(box.note(1))
    async with held(database):
        (waiting,) = await send(database, [box.note(2)])
        async with asyncio.timeout(PATIENCE_S / 2):
            assert await database.read(noted) == [1]
        assert not waiting.done()
    await hear([waiting])


async def test_more_reads_than_readers_are_all_served(box: Box, database: Database) -> None:
    await database.write(box.note(1))
    reads = [asyncio.ensure_future(database.read(noted)) for _ in range(5 * READERS)]
    assert await hear(reads) == [[1]] * 5 * READERS


async def test_a_reader_cannot_write(box: Box, database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await database.read(box.note(1))
    assert await database.read(noted) == []


async def test_a_read_that_raises_leaves_its_reader_usable(box: Box, database: Database) -> None:
    def fails(tx: SqliteTx) -> None:
        raise LookupError

    for _ in range(2 * READERS):
        with pytest.raises(LookupError):
            await database.read(fails)
    await database.write(box.note(1))
    assert await database.read(noted) == [1]


async def test_a_reader_that_is_still_busy_is_not_given_to_the_next(
    box: Box, database: Database
) -> None:
    gate = Gate()
    slow = asyncio.ensure_future(database.read(lambda tx: gate.pass_through()))
    await gate.reached()
    slow.cancel()
    await asyncio.sleep(0.01)
    try:
        async with asyncio.timeout(1):
            await database.read(noted)  # the other reader is free
    finally:
        gate.open()
        await asyncio.sleep(0.05)


async def test_a_read_whose_caller_left_is_still_in_flight(database: Database) -> None:
    gate = Gate()
    reading = asyncio.ensure_future(database.read(lambda tx: gate.pass_through()))
    await gate.reached()
    reading.cancel()
    await asyncio.sleep(0.01)
    in_flight = database.in_flight
    gate.open()
    assert in_flight == 1


async def test_a_reader_does_not_go_on_believing_what_it_once_read(database: Database) -> None:
    for _ in range(READERS):
        assert await database.read(lambda tx: tx.people.at("terminal", "1")) is None

    def add(tx: SqliteTx) -> None:
        tx.people.add_partner(Partner("DEMO"))
        phone = Phone("254712345678")
        person_id = tx.people.add_person("DEMO", "Amina", Role.OWNER, phone, None, "en")
        tx.people.link("terminal", "1", person_id)

    await database.write(add)
    for _ in range(READERS):
        assert await database.read(lambda tx: tx.people.at("terminal", "1")) is not None


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
    other = await Database.open(box.path, box.hand)  # it has the lock now
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
    async with Box(path).opened():
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
    with pytest.raises(sqlite3.OperationalError, match="only reading"):
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
    def write(tx: SqliteTx) -> None:
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
