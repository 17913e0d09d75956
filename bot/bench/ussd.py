"""``hazina bench ussd``: hops of phones that dial, steadily and beside the turns of a chat."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from itertools import count
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bot.bench.dialler import Dialler, door
from bot.bench.program import NullChannel, Person, running_program, seed_people, temporary_folder
from bot.bench.report import Comparison, Target, latencies
from bot.bench.scripted_user import ScriptedUser

STEADY = Target("ratio", at_most=10)
OF_TURNS = Target("ratio", at_least=0.6)
EVERY_S = 1.0  # between the hops of one session
AT_ONCE = 64  # people who top up at the same time
WARM_UP = 64  # top-ups of each, not counted
# The same conversation twice: from the menu to the M-PESA prompt that is asked for.
HOPS = ("", "1", "1500", "1", "1")
TURNS = ("/menu", "topup", "1500", "mine", "yes")


async def measure(
    sessions: int, seconds: float, topups: int, pairs: int, within: Path | None
) -> AsyncIterator[Comparison]:
    """``sessions`` at once for ``seconds``; then ``topups`` a run, ``pairs`` of runs."""
    with temporary_folder(within) as folder:
        yield await _steady(Path(folder) / "steady.db", sessions, seconds)
    with temporary_folder(within) as folder:
        yield await _beside_turns(Path(folder) / "beside.db", topups, pairs)


# A hop a second ------------------------------------------------------------------------------


async def _steady(database: Path, sessions: int, seconds: float) -> Comparison:
    """The whole program runs meanwhile: prompts are sent to the bank, and nobody answers them."""
    crowd = [Person(n) for n in range(sessions)]
    async with running_program(database, NullChannel()) as app:
        await app.database.write(lambda tx: seed_people(tx, crowd))
        asgi = door(app)
        ends_at = time.perf_counter() + seconds
        starts = (n * EVERY_S / sessions for n in range(sessions))
        walks = [
            _walk(Dialler(asgi, person), start, ends_at)
            for person, start in zip(crowd, starts, strict=True)
        ]
        cpu = time.process_time()
        taken = [one for walk in await asyncio.gather(*walks) for one in walk]
        cpu = time.process_time() - cpu
    figures = latencies(taken)
    return Comparison(
        "ussd: sessions with a hop a second, p99 in p50",
        {"sessions": sessions, "seconds": seconds, "synchronous": "FULL"},
        figures["p99_ms"] / figures["p50_ms"],
        STEADY,
        {"hops": len(taken), **figures, "cpu_share": cpu / seconds},
    )


async def _walk(phone: Dialler, starts_in_s: float, ends_at: float) -> list[float]:
    """A top-up by a code with a tail, then a look around, and again; a hop in each ``EVERY_S``."""
    due = time.perf_counter() + starts_in_s
    taken: list[float] = []
    for turn in count():
        amount = str(100 + turn)  # another one each time: nobody is asked whether it is the same
        for n, keys in enumerate((f"1*{amount}", "1", "1", "", "00", "3", "00", "4", "00")):
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if time.perf_counter() >= ends_at:
                return taken
            seconds, _ = await (phone.dial(keys) if n in (0, 3) else phone.press(keys))
            taken.append(seconds)
            due += EVERY_S
    raise AssertionError("it is counted without an end")


# Beside turns of a chat ------------------------------------------------------------------------


class _Run(NamedTuple):
    """``cpu_s`` of all threads and ``elapsed_s``, of ``steps`` hops or turns."""

    steps: int
    cpu_s: float
    elapsed_s: float

    @property
    def cpu_us(self) -> float:
        return self.cpu_s / self.steps * 1e6


async def _beside_turns(database: Path, topups: int, pairs: int) -> Comparison:
    """Nothing is sent in either: neither answers nor prompts. Each run has people of its own."""
    people, update_ids = map(Person, count()), count(1)
    runs: list[tuple[_Run, _Run]] = []
    async with running_program(database, NullChannel()) as app:
        await app.stop_sending()
        await app.jobs.stop()
        asgi = door(app)

        async def by_phone(person: Person) -> None:
            await Dialler(asgi, person).perform(HOPS)

        async def by_chat(person: Person) -> None:
            user = ScriptedUser(app, person, update_ids)
            for what in TURNS:
                await user.perform(what)

        async def run(begin: Callable[[Person], Awaitable[None]], many: int, length: int) -> _Run:
            crowd = [next(people) for _ in range(many)]
            await app.database.write(lambda tx: seed_people(tx, crowd))
            began, cpu = time.perf_counter(), time.process_time()
            await _all(begin, crowd)
            return _Run(many * length, time.process_time() - cpu, time.perf_counter() - began)

        await run(by_phone, WARM_UP, len(HOPS))
        await run(by_chat, WARM_UP, len(TURNS))
        for _ in range(pairs):
            hops = await run(by_phone, topups, len(HOPS))
            runs.append((hops, await run(by_chat, topups, len(TURNS))))
    ratios = [turns.cpu_us / hops.cpu_us for hops, turns in runs]
    return Comparison(
        "ussd: hops of a top-up in turns of the same, a second of CPU",
        {"topups": topups, "pairs": pairs, "at_once": AT_ONCE, "synchronous": "FULL"},
        median(ratios),
        OF_TURNS,
        {
            "cpu_us_per_hop": median(hops.cpu_us for hops, _ in runs),
            "cpu_us_per_turn": median(turns.cpu_us for _, turns in runs),
            "hops_per_s": median(hops.steps / hops.elapsed_s for hops, _ in runs),
            "turns_per_s": median(turns.steps / turns.elapsed_s for _, turns in runs),
            "ratio_min": min(ratios),
            "ratio_max": max(ratios),
        },
    )


async def _all(begin: Callable[[Person], Awaitable[None]], crowd: Sequence[Person]) -> None:
    """Each once, ``AT_ONCE`` at a time."""
    waiting = iter(crowd)

    async def one_after_the_other() -> None:
        for person in waiting:
            await begin(person)

    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))
