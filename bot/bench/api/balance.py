"""``GET /v1/balance`` over loopback, beside a bare route of the same server with the same JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from statistics import median

from bot.bench.api.asgi_caller import AsgiCaller
from bot.bench.api.desk import BARE, open_desk
from bot.bench.api.load_client import LoadPlan, LoadResult
from bot.bench.program import Person, temporary_folder
from bot.bench.report import Comparison, Target
from bot.http.server import serving

PATH = "/v1/balance"
RATE = Target("ratio", at_least=0.30)
P99 = Target("ratio", at_most=4)
SPARE = 8  # connections beyond those of the load: of a run that is just ending
WARM_UP = 0.2  # of each run


async def measure(
    connections: int, seconds: float, pairs: int, within: Path | None
) -> AsyncIterator[Comparison]:
    person = Person(0)
    with temporary_folder(within) as folder:
        async with open_desk(Path(folder) / "balance.db", [person]) as desk:
            key = desk.keys[person.partner]
            answer = await AsgiCaller(desk.asgi(), key).get(PATH)
            desk.bare.update(json.loads(answer.body))
            async with serving(
                desk.routes(),
                "127.0.0.1",
                0,
                asyncio.Event(),
                connections_max=connections + SPARE,
            ) as addresses:
                host, port = addresses[0]

                async def load(path: str) -> LoadResult:
                    plan = LoadPlan(host, port, path, key, connections, seconds, WARM_UP * seconds)
                    return await _in_a_process(plan)

                runs = [(await load(PATH), await load(BARE)) for _ in range(pairs)]
    parameters = {"connections": connections, "pairs": pairs}
    rates = [ours.per_s / bare.per_s for ours, bare in runs]
    yield Comparison(
        "api: balance, answers a second",
        parameters,
        median(rates),
        RATE,
        {
            "per_s": median(ours.per_s for ours, _ in runs),
            "bare_per_s": median(bare.per_s for _, bare in runs),
            "ratio_min": min(rates),
            "ratio_max": max(rates),
            "client_cpu_share_max": max(run.cpu_share for pair in runs for run in pair),
        },
    )
    tails = [ours.p99_s / bare.p99_s for ours, bare in runs]
    yield Comparison(
        "api: balance, p99",
        parameters,
        median(tails),
        P99,
        {
            "p50_ms": median(ours.p50_s for ours, _ in runs) * 1000,
            "p99_ms": median(ours.p99_s for ours, _ in runs) * 1000,
            "bare_p50_ms": median(bare.p50_s for _, bare in runs) * 1000,
            "bare_p99_ms": median(bare.p99_s for _, bare in runs) * 1000,
            "ratio_min": min(tails),
            "ratio_max": max(tails),
        },
    )


async def _in_a_process(plan: LoadPlan) -> LoadResult:
    """The client has a core to itself as far as there is one. The key is not in its arguments."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-Pm",
        "bot.bench.api.load_client",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(json.dumps(asdict(plan)).encode())
    if process.returncode != 0:
        raise RuntimeError("the load could not be made: see above")
    return LoadResult(**json.loads(output))
