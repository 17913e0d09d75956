"""What the writer commits together, in which order, and how much at a time."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest

from services.domain.database import DatabaseRefused, Priority
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from storage.sqlite.batch import BATCH_MS
from storage.sqlite.database import Database
from storage.transaction import StoreTx
from tests.kit.held_writer import Box, Gate, hear, held, noted, send
from tests.kit.stopwatch import Stopwatch

BATCH_MAX, JOBS_SHARE = Database.BATCH_MAX, Database.JOBS_SHARE
COMMIT_ONE_BY_ONE = BATCH_MS / 1000 + 0.001  # seconds after which a function ends its batch


# Group commits ------------------------------------------------------------------------------


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
    def fails(tx: StoreTx) -> None:
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
    def fails(tx: StoreTx) -> None:
        box.note(2)(tx)
        tx.conn.execute("INSERT INTO notes (number) VALUES (NULL)")

    async with held(database):
        tasks = await send(database, [box.note(1), fails, box.note(3)])
    told = await hear(tasks)
    assert [type(one) for one in told] == [int, DatabaseRefused, int]
    assert isinstance(told[1].__cause__, sqlite3.IntegrityError)
    assert await database.read(noted) == [1, 3]


async def test_a_refusal_that_is_returned_stays_committed(box: Box, database: Database) -> None:
    def refuse(tx: StoreTx) -> Refusal:
        box.note(1)(tx)
        return Refusal("wrong_code")

    assert await database.write(refuse) == Refusal("wrong_code")
    assert await database.read(noted) == [1]


async def test_a_rolled_back_function_leaves_nothing_in_the_caches(database: Database) -> None:
    def add(tx: StoreTx) -> None:
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
    def slow(tx: StoreTx) -> None:
        box.note(1)(tx)
        stopwatch.seconds += COMMIT_ONE_BY_ONE

    async with held(database):
        tasks = await send(database, [slow, box.note(2), box.note(3)])
    await hear(tasks)
    assert box.probe.commits == [0, 1, 2]


async def test_a_batch_within_its_time_is_not_cut(
    box: Box, database: Database, stopwatch: Stopwatch
) -> None:
    def steady(tx: StoreTx) -> None:
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

    def slow(tx: StoreTx) -> None:
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

    def slow(tx: StoreTx) -> None:
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
