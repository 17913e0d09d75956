"""``hazina bench turns --database``: what a server's database costs, as ratios to a file's.

Both are durable: the file is synced at each commit, and so must the server be (``fsync`` and
``synchronous_commit`` on). They are measured one after the other, in pairs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from statistics import median

from bot.bench.report import Comparison, Target
from bot.bench.turns import WARM_UP_S, Walk
from services.domain.database import DatabaseServer

OF_A_FILE = Target("ratio", at_least=0.15)


async def measure(
    server: DatabaseServer,
    people: int,
    seconds: float,
    within: Path | None,
    pairs: int,
    *,
    warm_up_s: float = WARM_UP_S,
) -> AsyncIterator[Comparison]:
    on_file = Walk(people, seconds, within, warm_up_s)
    on_server = Walk(people, seconds, server, warm_up_s)
    ratios, figures = [], {}
    for _ in range(pairs):
        file = await on_file.measure(answered=False)
        served = await on_server.measure(answered=False)
        ratios.append(served["turns_per_s"] / file["turns_per_s"])
        figures = {
            **{f"file_{name}": value for name, value in file.items()},
            **{f"server_{name}": value for name, value in served.items()},
        }
    yield Comparison(
        "turns of one process on a server, to those on a file",
        {"people": people, "pairs": pairs, "ratios": [round(ratio, 3) for ratio in ratios]},
        median(ratios),
        OF_A_FILE,
        figures,
    )
