"""Readers never wait for the writer, and each transaction has its own timestamp."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from services.domain.database import DatabaseFailed
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from storage.sqlite.database import READERS, Database
from storage.transaction import StoreTx
from tests.kit.held_writer import PATIENCE_S, START, Box, Gate, hear, held, noted, send

# Time ---------------------------------------------------------------------------------------


async def test_the_moment_is_read_once_a_function(box: Box, database: Database) -> None:
    def twice(tx: StoreTx) -> tuple[datetime, datetime]:
        before = tx.now
        box.hand.move(60)
        return before, tx.now

    before, after = await database.write(twice)
    assert before == after == START


async def test_each_function_of_a_batch_has_its_own_moment(box: Box, database: Database) -> None:
    def moves(tx: StoreTx) -> datetime:
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

    def look_twice(tx: StoreTx) -> tuple[list[int], list[int]]:
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


async def test_reads_are_served_in_the_order_in_which_they_came(database: Database) -> None:
    """By one reader, the others being busy: of two, either may be faster."""
    gates = [Gate() for _ in range(READERS - 1)]
    busy = [asyncio.ensure_future(database.read(lambda tx, g=g: g.pass_through())) for g in gates]
    served: list[int] = []
    try:
        for gate in gates:
            await gate.reached()
        await asyncio.gather(
            *(database.read(lambda tx, n=n: served.append(n)) for n in range(10 * READERS))
        )
    finally:
        for gate in gates:
            gate.open()
        await asyncio.gather(*busy)
    assert served == list(range(10 * READERS))


async def test_a_quick_read_does_not_wait_for_a_slow_one_that_came_later(
    database: Database,
) -> None:
    gate = Gate()
    quick = asyncio.ensure_future(database.read(noted))
    slow = asyncio.ensure_future(database.read(lambda tx: gate.pass_through()))
    await gate.reached()
    try:
        async with asyncio.timeout(1):
            assert await quick == []
    finally:
        gate.open()
        await slow


async def test_a_read_whose_caller_left_in_time_is_not_run(database: Database) -> None:
    gates = [Gate() for _ in range(READERS)]
    slow = [asyncio.ensure_future(database.read(lambda tx, g=g: g.pass_through())) for g in gates]
    for gate in gates:
        await gate.reached()
    ran: list[int] = []
    left = asyncio.ensure_future(database.read(lambda tx: ran.append(1)))
    await asyncio.sleep(0)
    left.cancel()
    for gate in gates:
        gate.open()
    await asyncio.gather(*slow)
    await database.read(noted)
    assert (ran, database.in_flight) == ([], 0)


async def test_a_reader_cannot_write(box: Box, database: Database) -> None:
    with pytest.raises(DatabaseFailed, match="readonly"):
        await database.read(box.note(1))
    assert await database.read(noted) == []


async def test_a_read_that_raises_leaves_its_reader_usable(box: Box, database: Database) -> None:
    def fails(tx: StoreTx) -> None:
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

    def add(tx: StoreTx) -> None:
        tx.people.add_partner(Partner("DEMO"))
        phone = Phone("254712345678")
        person_id = tx.people.add_person("DEMO", "Amina", Role.OWNER, phone, None, "en")
        tx.people.link("terminal", "1", person_id)

    await database.write(add)
    for _ in range(READERS):
        assert await database.read(lambda tx: tx.people.at("terminal", "1")) is not None
