"""``hazina bench turns``: durable turns a second, and how near that is to the disk's own limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from itertools import count
from pathlib import Path

from bot.bench import raw
from bot.bench.product import NullChannel, Person, a_folder, product, seed_people
from bot.bench.report import Case, Target, latencies
from bot.bench.walk import Load, Walker
from bot.channel import Content

TARGETS = (Target("turns_per_s", at_least=4_000), Target("p99_ms", below=40))
WARM_UP_S = 1.0


class _HeldChannel(NullChannel):
    """Holds every message back: what is measured is the way to the commit alone."""

    def __init__(self) -> None:
        super().__init__()
        self._held: set[asyncio.Future[None]] = set()

    async def send(self, address: str, content: Content) -> str:
        held = asyncio.get_running_loop().create_future()
        self._held.add(held)
        await held
        raise AssertionError("a held message is only ever cancelled")

    def let_go(self) -> None:
        for held in self._held:
            held.cancel()


async def measure(
    people: int, seconds: float, within: Path | None, *, warm_up_s: float = WARM_UP_S
) -> AsyncIterator[Case]:
    """The two limits first, then turns alone, then turns with their answers sent beside."""
    with a_folder(within) as folder:
        thread = await raw.in_a_thread(Path(folder) / "raw.db", people, seconds / 2)
    yield Case(
        "raw commits, one thread",
        {"statements": 5, "batch": people, "synchronous": "FULL"},
        {"functions_per_s": thread},
    )
    with a_folder(within) as folder:
        writer = await raw.through_database(Path(folder) / "raw.db", people, seconds / 2)
    yield Case(
        "raw commits, Database.write",
        {"statements": 5, "callers": people, "synchronous": "FULL"},
        {"functions_per_s": writer},
    )
    for name, channel in (("turns", _HeldChannel()), ("turns and delivery", NullChannel())):
        with a_folder(within) as folder:
            figures = await _walk(Path(folder) / "turns.db", channel, people, seconds, warm_up_s)
        figures["of_raw_thread"] = figures["turns_per_s"] / thread
        figures["of_raw_database"] = figures["turns_per_s"] / writer
        beside = type(channel) is NullChannel
        yield Case(
            name,
            {"people": people, "delivery_beside": beside, "synchronous": "FULL"},
            figures,
            TARGETS,
        )


async def _walk(
    database: Path, channel: NullChannel, people: int, seconds: float, warm_up_s: float
) -> dict[str, float | int]:
    crowd: Sequence[Person] = [Person(n) for n in range(people)]
    async with product(database, channel) as app:
        await app.database.write(lambda tx: seed_people(tx, crowd))
        update_ids = count(1)
        load = Load([Walker(app, person, update_ids) for person in crowd])
        load.start()
        await asyncio.sleep(warm_up_s)
        load.reset()
        taken, began, cpu = channel.taken, time.perf_counter(), time.process_time()
        await asyncio.sleep(seconds)
        elapsed = time.perf_counter() - began
        cpu = time.process_time() - cpu
        measured = list(load.latencies_s)
        taken = channel.taken - taken
        await load.stop()
        if isinstance(channel, _HeldChannel):
            channel.let_go()
    return {
        "turns_per_s": len(measured) / elapsed,
        **latencies(measured),
        "messages_taken_per_s": taken / elapsed,
        "cpu_us_per_turn": cpu / max(1, len(measured)) * 1e6,
    }
