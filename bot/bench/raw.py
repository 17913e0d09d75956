"""What only SQLite itself can show: how fast rows are written without any logic, and which
statements run.

For the former, a turn's five statements with fixed values run on the same stores, in a savepoint
each, by grouped commits.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path

from bot.channels.telegram.wire import CHANNEL
from services.domain.session import SessionRow
from services.ports import Tx
from services.ports.database import Database as AnyDatabase
from storage.raw import connection
from storage.sqlite.database import READERS, Database
from storage.transaction import StoreTx

SETTLE_S = 0.1  # within which a thread ends the transaction whose result it gave

_BODY = (
    '{"active":{"flow":"topup","version":1,"node":"confirm","data":{"amount":{"cents":150000,'
    '"currency":"KES"},"phone":{"msisdn":"254700000001"}},"history":[["amount",{},null,null],'
    '["payer",{"amount":{"cents":150000,"currency":"KES"}},null,null]]}}'
)
_TEXT = "Send a prompt for KES 1,500 to 0700 000 001? Enter your M-PESA PIN on that phone to pay."
_ROWS = (
    '[[["yes","Yes, send the prompt"]],[["edit-amount","Change amount"],["edit-phone",'
    '"Change phone"]],[["back","Back"],["cancel","Cancel"]]]'
)


def write_rows(tx: StoreTx, number: int, address: str) -> None:
    """The rows of a turn: the event, the session, the trail and one message."""
    event_id = str(number)
    tx.sessions.mark_handled(CHANNEL, event_id)
    tx.sessions.load(CHANNEL, address)
    session = SessionRow(number, "topup", "confirm", _BODY, tx.now + timedelta(minutes=30))
    tx.sessions.save(CHANNEL, address, session)
    tx.trail.add(CHANNEL, address, 1, "tap:mine", "topup.payer", "confirm", "topup.confirm", None)
    tx.outbox.add(
        CHANNEL,
        address,
        kind="answer",
        text=_TEXT,
        rows=_ROWS,
        turn=number,
        event_id=event_id,
    )


async def through_database(path: Path, callers: int, seconds: float) -> float:
    """Writes per second through ``Database.write`` by ``callers`` at once."""
    database = await Database.open(path, lambda: datetime.now(UTC))
    numbers = count()
    done = 0
    ends_at = time.perf_counter() + seconds

    async def call(address: str) -> None:
        nonlocal done
        while time.perf_counter() < ends_at:
            rows = partial(write_rows, number=next(numbers), address=address)
            await database.write(rows)
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(call(str(n)) for n in range(callers)))
    elapsed = time.perf_counter() - began
    await database.close()
    return done / elapsed


async def in_a_thread(path: Path, batch: int, seconds: float) -> float:
    """Writes per second on a bare connection in one thread, ``batch`` per commit."""
    database = await Database.open(path, lambda: datetime.now(UTC))  # creates the tables
    await database.close()
    return await asyncio.to_thread(_commit_batches, path, batch, seconds)


def _commit_batches(path: Path, batch: int, seconds: float) -> float:
    conn = sqlite3.connect(path, isolation_level=None, cached_statements=512)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        conn.execute(f"PRAGMA {pragma}")
    tx = StoreTx(conn)
    number = 0
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        conn.execute("BEGIN IMMEDIATE")
        for _ in range(batch):
            tx.begin(datetime.now(UTC))
            conn.execute("SAVEPOINT one")
            write_rows(tx, number, str(number % batch))
            conn.execute("RELEASE one")
            number += 1
        conn.execute("COMMIT")
    elapsed = time.perf_counter() - began
    conn.close()
    return number / elapsed


@asynccontextmanager
async def statements_of(database: AnyDatabase) -> AsyncIterator[list[str]]:
    """The SQL statements that the writer and all readers run within the block, those inside
    triggers too."""
    seen: list[str] = []
    await _trace(database, seen)
    await asyncio.sleep(SETTLE_S)
    seen.clear()
    try:
        yield seen
    finally:
        await _trace(database, None)


def plan_of(tx: Tx, statement: str) -> list[str]:
    """The steps in which SQLite carries it out."""
    return [row[3] for row in connection(tx).execute(f"EXPLAIN QUERY PLAN {statement}")]


async def _trace(database: AnyDatabase, into: list[str] | None) -> None:
    together = threading.Barrier(READERS)  # until all have come, so that each is another reader

    def trace(tx: Tx) -> None:
        conn = connection(tx)
        assert isinstance(conn, sqlite3.Connection), "another engine traces in its own way"
        conn.set_trace_callback(None if into is None else into.append)

    def trace_reader(tx: Tx) -> None:
        together.wait(timeout=10)
        trace(tx)

    await database.write(trace)
    await asyncio.gather(*(database.read(trace_reader) for _ in range(READERS)))
