"""``hazina bench screens``: how long a person waits for a screen while others take turns."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path

from bot.app import App
from bot.bench.operations import seed_database
from bot.bench.program import NullChannel, Person, running_program, temporary_folder
from bot.bench.report import Case, Target, latencies
from bot.bench.scripted_user import Load, ScriptedUser
from bot.channels.telegram.wire import CHANNEL
from bot.turns.sessions import SessionCache
from flows.engine.session import Frame, Session
from flows.history import HISTORY, HistoryData
from services.ports import Tx

PROMISED_P99_MS = {"balance": 5.0, "history": 10.0, "history deep": 10.0, "start a top-up": 20.0}
PAUSE_S = 0.04  # mean time between two views, varied by half: sampling, neither load nor in step
WARM_UP_S = 1.0
CROWD = 64  # people in the background, besides those measured

Look = Callable[[], Awaitable[float]]


async def measure(
    operations: int, rate: float | None, samples: int, within: Path | None
) -> AsyncIterator[Case]:
    people = [Person(n) for n in range(CROWD + 3 + samples)]
    with temporary_folder(within) as folder:
        database = Path(folder) / "screens.db"
        began = time.perf_counter()
        deep = await seed_database(database, people, operations)
        # Flush the seeded data so that it does not slow down the measurement
        await asyncio.to_thread(os.sync)
        seeded_s = time.perf_counter() - began
        async with running_program(database, NullChannel()) as app:
            update_ids = count(1)
            load = Load([ScriptedUser(app, p, update_ids) for p in people[-CROWD:]], rate)
            looks = await _looks(app, people[: 3 + samples], deep, update_ids)
            load.start()
            await asyncio.sleep(WARM_UP_S)
            load.reset()
            began = time.perf_counter()
            measured = await asyncio.gather(*(_repeat(look, samples) for look in looks.values()))
            elapsed = time.perf_counter() - began
            beside = len(load.latencies_s) / elapsed
            await load.stop()
    for name, seconds in zip(looks, measured, strict=True):
        yield Case(
            f"screen: {name}",
            {
                "operations": operations,
                "samples": samples,
                "asked_turns_per_s": "all that fit" if rate is None else rate,
            },
            {**latencies(seconds), "turns_per_s_beside": beside, "seeded_s": seeded_s},
            # At full load everybody waits in the crowd's queue, so this has no target.
            [] if rate is None else [Target("p99_ms", below=PROMISED_P99_MS[name])],
        )


async def _repeat(look: Look, samples: int) -> list[float]:
    measured = []
    for _ in range(samples):
        measured.append(await look())
        await asyncio.sleep(random.uniform(0.5, 1.5) * PAUSE_S)
    return measured


async def _looks(
    app: App, people: list[Person], deep: str, update_ids: Iterator[int]
) -> dict[str, Look]:
    """Measured: three people of the partner with the long history, and new users."""
    balance, first, far = (ScriptedUser(app, person, update_ids) for person in people[:3])
    turn = await app.database.write(lambda tx: _look_deep(tx, app.sessions, people[2], deep))
    far.at_turn(turn)
    back_and_forth = (("more", "newer")[n % 2] for n in count())
    starters = iter(people[3:])

    async def start() -> float:
        walker = ScriptedUser(app, next(starters), update_ids)
        for what in ("/topup", "1,700", "mine"):
            await walker.perform(what)
        return await walker.perform("yes")

    return {
        "balance": lambda: balance.perform("/balance"),
        "history": lambda: first.perform("/history"),
        "history deep": lambda: far.perform(next(back_and_forth)),
        "start a top-up": start,
    }


def _look_deep(tx: Tx, sessions: SessionCache, person: Person, reference: str) -> int:
    """Put the person on a far page, as if they had tapped "more" until there."""
    cursor = f"<{reference}"
    frame = Frame(HISTORY, "list", HistoryData(), offered={"more": cursor}, cursor=cursor)
    session = Session(turn=1, active=frame)
    sessions.save(tx, CHANNEL, person.address, session)
    return session.turn
