"""Calls that wait for an operation: what they cost while nothing changes, whom a change wakes, and
how soon all have heard of it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

from bot.bench import raw
from bot.bench.api import seeded_topups
from bot.bench.api.asgi_caller import AsgiCaller
from bot.bench.api.desk import BARE, ApiDesk, open_desk
from bot.bench.program import Person, temporary_folder
from bot.bench.report import Comparison, Target
from bot.simulation.asgi_call import AsgiAnswer

WAIT_S = 25
QUIET_S = 0.5  # after a change: whoever is going to be woken has been
IDLE = Target("ratio", at_most=0)
WOKEN = Target("ratio", at_most=1)
HEARD = Target("ratio", at_most=3)


async def measure(
    waiting: int, idle_s: float, pairs: int, within: Path | None
) -> AsyncIterator[Comparison]:
    person = Person(0)
    with temporary_folder(within) as folder:
        async with open_desk(Path(folder) / "waits.db", [person]) as desk:
            crowd = _Crowd(desk, person, waiting)
            yield await crowd.idle(idle_s)
            yield await crowd.wake_one()
            yield await crowd.tell_all(pairs)


class _Crowd:
    def __init__(self, desk: ApiDesk, person: Person, waiting: int) -> None:
        self._desk = desk
        self._person = person
        self._waiting = waiting
        self._caller = AsgiCaller(desk.asgi(), desk.keys[person.partner])
        self._numbers = count(1)

    async def idle(self, seconds: float) -> Comparison:
        """Everything else in the program runs as ever, the scheduled jobs included."""
        references = await self._begin(self._waiting)
        calls = await self._wait_for(references)
        async with raw.statements_of(self._desk.app.database) as statements:
            await asyncio.sleep(seconds)
            counted = len(statements)
        await _leave(calls)
        return Comparison(
            "api: waiting while nothing changes, statements a call",
            {"waiting": self._waiting, "operations": len(references), "seconds": seconds},
            counted / self._waiting,
            IDLE,
            {"statements": counted},
        )

    async def wake_one(self) -> Comparison:
        references = await self._begin(self._waiting)
        calls = await self._wait_for(references)
        await self._desk.app.database.write(partial(seeded_topups.pay, references=references[:1]))
        await asyncio.sleep(QUIET_S)
        woken = [call for call in calls if call.done()]
        right = woken == calls[:1] and b'"paid"' in calls[0].result().body
        await _leave(calls)
        return Comparison(
            "api: a change of one operation, calls woken of one that waits for it",
            {"waiting": self._waiting, "operations": len(references)},
            float(len(woken)),
            WOKEN,
            {"woken": len(woken)},
            {"the right one": right},
        )

    async def tell_all(self, pairs: int) -> Comparison:
        """Timed from before the change is written, so its commit is included."""
        runs = [(await self._tell(), await self._bare()) for _ in range(pairs)]
        ratios = [heard / bare for heard, bare in runs]
        return Comparison(
            "api: all that wait for one operation have heard",
            {"waiting": self._waiting, "pairs": pairs, "peer": "as many bare requests"},
            median(ratios),
            HEARD,
            {
                "heard_ms": median(heard for heard, _ in runs) * 1000,
                "bare_ms": median(bare for _, bare in runs) * 1000,
                "ratio_min": min(ratios),
                "ratio_max": max(ratios),
            },
        )

    async def _tell(self) -> float:
        (reference,) = await self._begin(1)
        calls = await self._wait_for([reference] * self._waiting)
        began = time.perf_counter()
        await self._desk.app.database.write(partial(seeded_topups.pay, references=[reference]))
        answers = await asyncio.gather(*calls)
        heard_s = time.perf_counter() - began
        self._desk.bare.update(json.loads(answers[0].body))  # the same JSON for the peer
        if any(b'"paid"' not in answer.body for answer in answers):
            raise RuntimeError("a call that waited has not heard of the payment")
        return heard_s

    async def _bare(self) -> float:
        began = time.perf_counter()
        await asyncio.gather(*(self._caller.get(BARE) for _ in range(self._waiting)))
        return time.perf_counter() - began

    async def _begin(self, many: int) -> list[str]:
        numbers = [next(self._numbers) for _ in range(many)]
        return await self._desk.app.database.write(
            partial(seeded_topups.begin, person=self._person, numbers=numbers)
        )

    async def _wait_for(self, references: Sequence[str]) -> list[asyncio.Task[AsgiAnswer]]:
        calls = [
            asyncio.create_task(
                self._caller.get(f"/v1/operations/{reference}", f"wait={WAIT_S}&version=1")
            )
            for reference in references
        ]
        while self._desk.app.waits.waiting < len(calls):  # noqa: ASYNC110 - a count, not an event
            await asyncio.sleep(0.01)
        return calls


async def _leave(calls: Sequence[asyncio.Task[AsgiAnswer]]) -> None:
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
