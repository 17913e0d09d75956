"""What grouping gains at one partner: two processes that group their writes, beside 64 connections
that commit one write each, as an ordinary program would.

Both do the same: the rows of a turn, and a move on the same account. All of them wait for that
account, so what counts is how many share a commit.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from itertools import count

from bot.bench.program import Person, seed_people
from bot.bench.raw import write_rows
from bot.channels.telegram.wire import CHANNEL
from bot.observe import log
from services.domain.database import DatabaseServer
from services.domain.ledger import AccountKind, opening_balance
from services.domain.money import Money
from storage.postgres.connection import PostgresConnection
from storage.postgres.database import Database
from storage.postgres.server import connect
from storage.postgres.simulated import ServedDatabase
from storage.transaction import StoreTx

PROCESSES = 2
EACH = 32  # writes under way, or connections, of each process
START_S = 6.0  # from the start of the processes to that of what is measured
CENT = Money(1)
_HERE = Person(0)

Measured = Callable[[DatabaseServer, int, float, float], int]


async def grouped(server: DatabaseServer, seconds: float) -> float:
    """Writes a second of processes that group theirs."""
    return await _together(server, seconds, _in_groups)


async def one_by_one(server: DatabaseServer, seconds: float) -> float:
    """Writes a second of connections that commit each by itself."""
    return await _together(server, seconds, _by_themselves)


async def _together(server: DatabaseServer, seconds: float, measured: Measured) -> float:
    with closing(ServedDatabase(server)) as world:
        database = await Database.open(world.address, _now, shared=True)
        await database.write(lambda tx: seed_people(tx, [_HERE]))
        await database.close()
        loop, begins_at = asyncio.get_running_loop(), time.time() + START_S
        spawning = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(PROCESSES, mp_context=spawning) as pool:
            written = [
                loop.run_in_executor(pool, measured, world.address, number, begins_at, seconds)
                for number in range(PROCESSES)
            ]
            return sum(await asyncio.gather(*written)) / seconds


def _write(tx: StoreTx, number: int) -> None:
    assert tx.people.at(CHANNEL, _HERE.address) is not None
    write_rows(tx, number, _HERE.address)
    tx.ledger.book(opening_balance(_HERE.partner, AccountKind.FLOAT, CENT))


def _in_groups(address: DatabaseServer, number: int, begins_at: float, seconds: float) -> int:
    log.configure("warning")
    return asyncio.run(_written_in_groups(address, number, begins_at, seconds))


async def _written_in_groups(
    address: DatabaseServer, number: int, begins_at: float, seconds: float
) -> int:
    database = await Database.open(address, _now, shared=True)
    await database.join()
    numbers, written = count(1 + number * 1_000_000_000), 0
    ends_at = begins_at + seconds

    async def writes() -> None:
        nonlocal written
        while time.time() < ends_at:
            await database.write(partial(_write, number=next(numbers)), about=_HERE.partner)
            written += begins_at <= time.time() < ends_at

    try:
        await asyncio.gather(*(writes() for _ in range(EACH)))
    finally:
        await database.close()
    return written


def _by_themselves(address: DatabaseServer, number: int, begins_at: float, seconds: float) -> int:
    numbers, ends_at = count(1 + number * 1_000_000_000), begins_at + seconds
    written = [0] * EACH

    def writes(which: int) -> None:
        conn = PostgresConnection(partial(connect, address, "bench"))
        conn.connect()
        tx = StoreTx(conn)
        while time.time() < ends_at:
            conn.begin()
            # Whoever else writes about the partner waits, as stores would have them.
            conn.execute("SELECT pg_advisory_xact_lock(1)").fetchone()
            tx.begin(_now())
            _write(tx, next(numbers))
            tx.end()
            conn.commit()
            written[which] += begins_at <= time.time() < ends_at
        conn.close()

    threads = [threading.Thread(target=writes, args=(which,)) for which in range(EACH)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(written)


def _now() -> datetime:
    return datetime.now(UTC)
