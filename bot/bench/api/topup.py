"""A committed ``POST /v1/topup/stk-push`` without a socket, beside a committed turn of a chat."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import count
from pathlib import Path
from statistics import median

from bot.bench.api.asgi_caller import AsgiCaller
from bot.bench.api.desk import ApiDesk, open_desk
from bot.bench.program import Person, temporary_folder
from bot.bench.report import Comparison, Target, latencies, percentile
from bot.bench.scripted_user import Load, ScriptedUser

PATH = "/v1/topup/stk-push"
LIMIT = Target("ratio", at_least=0.5)
WARM_UP = 0.2  # of each run


async def measure(
    people: int, seconds: float, pairs: int, within: Path | None
) -> AsyncIterator[Comparison]:
    """Nothing is sent in either: neither answers nor prompts. Each run has people of its own."""
    crowds = [[Person(pair * people + n) for n in range(people)] for pair in range(pairs)]
    update_ids, numbers = count(1), count(1)
    with temporary_folder(within) as folder:
        everybody = [person for crowd in crowds for person in crowd]
        async with open_desk(Path(folder) / "topup.db", everybody) as desk:
            await desk.app.stop_sending()
            await desk.app.jobs.stop()
            runs = [
                (
                    await _calls(desk, crowd, numbers, seconds),
                    await _turns(desk, crowd, update_ids, seconds),
                )
                for crowd in crowds
            ]
    ratios = [len(calls) / len(turns) for calls, turns in runs]
    of_calls = [taken for calls, _ in runs for taken in calls]
    measured_s = pairs * seconds * (1 - WARM_UP)
    yield Comparison(
        "api: top-up, committed",
        {"callers": people, "pairs": pairs, "synchronous": "FULL", "peer": "a turn of the walk"},
        median(ratios),
        LIMIT,
        {
            "per_s": len(of_calls) / measured_s,
            "turns_per_s": sum(len(turns) for _, turns in runs) / measured_s,
            **latencies(of_calls),
            "turns_p99_ms": percentile([t for _, turns in runs for t in turns], 0.99) * 1000,
            "ratio_min": min(ratios),
            "ratio_max": max(ratios),
        },
    )


async def _turns(
    desk: ApiDesk, crowd: Sequence[Person], update_ids: Iterator[int], seconds: float
) -> list[float]:
    load = Load([ScriptedUser(desk.app, person, update_ids) for person in crowd])
    load.start()
    await asyncio.sleep(seconds * WARM_UP)
    load.reset()
    await asyncio.sleep(seconds * (1 - WARM_UP))
    measured = list(load.latencies_s)
    await load.stop()
    return measured


async def _calls(
    desk: ApiDesk, crowd: Sequence[Person], numbers: Iterator[int], seconds: float
) -> list[float]:
    """Each call is for another payer's phone, as a partner's customers are."""
    began = time.perf_counter()
    counts_from, ends_at = began + seconds * WARM_UP, began + seconds
    taken: list[float] = []
    asgi = desk.asgi()

    async def go_on(person: Person) -> None:
        caller = AsgiCaller(asgi, desk.keys[person.partner])
        while True:
            number = next(numbers)
            body = {"amount": 10, "phone_number": f"2547{number:08d}", "description": "Order 7"}
            raw = json.dumps(body).encode()
            sent_at = time.perf_counter()
            answer = await caller.post(PATH, raw, f"order-{number:016d}")
            now = time.perf_counter()
            if answer.status != 202:
                raise RuntimeError(f"a top-up was not taken: {answer.body.decode()}")
            if now > ends_at:
                return
            if now > counts_from:
                taken.append(now - sent_at)

    await asyncio.gather(*(go_on(person) for person in crowd))
    return taken
