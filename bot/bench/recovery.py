"""``hazina bench recovery``: time from start to the first answer, with a large backlog."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import cast

from bot.bench.program import NullChannel, Person, running_program, seed_people, temporary_folder
from bot.bench.report import Case, Target
from bot.bench.scripted_user import ScriptedUser
from bot.channels.telegram.wire import CHANNEL
from bot.clock import SystemClock
from bot.database import database_engine
from services import topups
from services.domain.money import Money
from services.domain.topup import TopUp, TopUpState
from services.ports import Random, Tx

PROMISED_S = 5.0
PEOPLE = 100
CHUNK = 500  # top-ups per transaction


async def measure(operations: int, within: Path | None) -> AsyncIterator[Case]:
    """The backlog is accepted prompts, all due for a query."""
    people = [Person(n) for n in range(PEOPLE)]
    with temporary_folder(within) as folder:
        database = Path(folder) / "recovery.db"
        await _seed_database(database, people, operations)
        await asyncio.to_thread(os.sync)
        began = time.perf_counter()
        async with running_program(database, NullChannel()) as app:
            started_s = time.perf_counter() - began
            await ScriptedUser(app, people[0], count(1)).perform("/balance")
            served_s = time.perf_counter() - began
    yield Case(
        "recovery",
        {"open_operations": operations},
        {"started_s": started_s, "first_answer_s": served_s},
        [Target("first_answer_s", below=PROMISED_S)],
    )


async def _seed_database(path: Path, people: list[Person], operations: int) -> None:
    database = await database_engine.open_database(path, SystemClock().now)
    try:
        await database.write(lambda tx: seed_people(tx, people))
        for start in range(0, operations, CHUNK):
            numbers = range(start, min(start + CHUNK, operations))
            await database.write(partial(_begin, people, numbers))
    finally:
        await database.close()


def _begin(people: list[Person], numbers: range, tx: Tx) -> None:
    dice = cast("Random", random.Random(numbers.start))
    for n in numbers:
        person = tx.people.at(CHANNEL, people[n % PEOPLE].address)
        assert person is not None
        topup = topups.start(
            tx,
            dice,
            person,
            CHANNEL,
            people[n % PEOPLE].address,
            f"recovery-{n}",
            Money(150_000),
            person.phone,
            again=True,
        )
        assert isinstance(topup, TopUp)
        sending = topup.transition_to(TopUpState.SENDING, sent_at=tx.now)
        tx.topups.save(sending.transition_to(TopUpState.PENDING, bank_id=f"STK-{n}", due_at=tx.now))
