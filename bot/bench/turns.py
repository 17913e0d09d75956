"""``hazina bench turns``: durable turns per second, alone and with answers sent, and how near they
are to the disk's limit.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from itertools import count
from pathlib import Path

from bot.bench import raw
from bot.bench.program import (
    NullChannel,
    Person,
    running_program,
    seed_people,
    temporary_database,
    temporary_folder,
)
from bot.bench.report import Case, Target, latencies
from bot.bench.scripted_user import Load, ScriptedUser
from services.domain.database import DatabaseServer
from services.domain.outbox import OutboxRow

TARGETS = (Target("turns_per_s", at_least=4_000), Target("p99_ms", below=40))
OVERLOAD = 2.0  # times the answered rate
OVERLOAD_TARGETS = (Target("of_answered", at_least=0.8), Target("grown_mb", below=32))
WARM_UP_S = 1.0
GROWN_UNIT = 1 if sys.platform == "darwin" else 1_024  # bytes per unit of ru_maxrss


async def measure(
    people: int, seconds: float, within: Path | None, *, warm_up_s: float = WARM_UP_S
) -> AsyncIterator[Case]:
    """First the two limits, then turns alone, then turns with answers: at the answered rate and at
    twice that rate.
    """
    with temporary_folder(within) as folder:
        thread = await raw.in_a_thread(Path(folder) / "raw.db", people, seconds / 2)
    yield Case(
        "raw commits, one thread",
        {"statements": 5, "batch": people, "synchronous": "FULL"},
        {"functions_per_s": thread},
    )
    with temporary_folder(within) as folder:
        writer = await raw.through_database(Path(folder) / "raw.db", people, seconds / 2)
    yield Case(
        "raw commits, Database.write",
        {"statements": 5, "callers": people, "synchronous": "FULL"},
        {"functions_per_s": writer},
    )
    walk = Walk(people, seconds, within, warm_up_s)
    for name, answered in (("turns", False), ("turns and delivery", True)):
        figures = await walk.measure(answered=answered)
        figures["of_raw_thread"] = figures["turns_per_s"] / thread
        figures["of_raw_database"] = figures["turns_per_s"] / writer
        parameters = {"people": people, "delivery_beside": answered, "synchronous": "FULL"}
        yield Case(name, parameters, figures, TARGETS)
    sustained = figures["answers_per_s"]
    figures = await walk.measure(answered=True, offered=OVERLOAD * sustained)
    figures["of_answered"] = figures["answers_per_s"] / sustained
    parameters = {"people": people, "offered_per_s": OVERLOAD * sustained, "synchronous": "FULL"}
    yield Case("turns and delivery, twice as many offered", parameters, figures, OVERLOAD_TARGETS)


class Walk:
    """``within``: the folder of the databases, each a file of its own; or a server, where each has
    a schema of its own."""

    def __init__(
        self,
        people: int,
        seconds: float,
        within: Path | DatabaseServer | None,
        warm_up_s: float,
    ) -> None:
        self._crowd: Sequence[Person] = [Person(n) for n in range(people)]
        self._seconds = seconds
        self._within = within
        self._warm_up_s = warm_up_s

    async def measure(
        self, *, answered: bool, offered: float | None = None
    ) -> dict[str, float | int]:
        """``answered``: answers are sent as well.

        Without ``offered`` (total turns per second) everybody continues once they have their
        answer; otherwise regardless of it.
        """
        answered_by_address: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

        def delivered(row: OutboxRow, message_id: str, edited: bool) -> None:
            if row.kind == "answer":
                answered_by_address[row.address].set()

        channel, update_ids = NullChannel(), count(1)
        with temporary_database(self._within) as database:
            async with running_program(database, channel, delivered=delivered) as app:
                await app.database.write(lambda tx: seed_people(tx, self._crowd))
                if not answered:
                    await app.stop_sending()
                walkers = [ScriptedUser(app, person, update_ids) for person in self._crowd]
                waits = answered and offered is None
                load = Load(walkers, offered, answered_by_address if waits else None)
                load.start()
                await asyncio.sleep(self._warm_up_s)
                load.reset()
                sent, began, cpu = channel.sent, time.perf_counter(), time.process_time()
                grown = _peak_memory_bytes()
                await asyncio.sleep(self._seconds)
                elapsed, cpu = time.perf_counter() - began, time.process_time() - cpu
                measured, sent = list(load.latencies_s), channel.sent - sent
                grown = _peak_memory_bytes() - grown
                await load.stop()
        return {
            "turns_per_s": len(measured) / elapsed,
            "answers_per_s": sent / elapsed,
            **latencies(measured),
            "cpu_us_per_turn": cpu / max(1, len(measured)) * 1e6,
            "grown_mb": grown / 1e6,
        }


def _peak_memory_bytes() -> int:
    """Peak memory of the process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * GROWN_UNIT
