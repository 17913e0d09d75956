"""``hazina bench turns --database``: what a server's database costs, and what a second process
gains, as ratios measured in the same run.

Both are durable: the file is synced at each commit, and so must the server be (``fsync`` and
``synchronous_commit`` on).
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

from bot.bench import hot_wallet
from bot.bench.program import (
    PEOPLE_EACH,
    NullChannel,
    Person,
    running_program,
    seed_people,
)
from bot.bench.report import Comparison, Target
from bot.bench.scripted_user import Load, ScriptedUser
from bot.bench.turns import WARM_UP_S, Walk
from bot.clock import SystemClock
from bot.database import database_engine, simulated_databases
from bot.observe import log
from services.domain.database import DatabaseAddress, DatabaseServer

OF_A_FILE = Target("ratio", at_least=0.15)
OF_ONE_PROCESS = Target("ratio", at_least=1.3)
OF_SPREAD = Target("ratio", at_least=0.4)
OF_ONE_BY_ONE = Target("ratio", at_least=3.0)
START_S = 6.0  # from the start of the processes to that of what is measured


async def measure(
    server: DatabaseServer,
    people: int,
    seconds: float,
    within: Path | None,
    pairs: int,
    *,
    warm_up_s: float = WARM_UP_S,
) -> AsyncIterator[Comparison]:
    yield await _of_a_file(server, people, seconds, within, pairs, warm_up_s)
    crowd = [Person(n) for n in range(people)]
    one = partial(_served, server, crowd, 1, seconds)
    two = partial(_served, server, crowd, 2, seconds)
    ratios, figures = [], {}
    for _ in range(pairs):
        alone, together = await one(), await two()
        ratios.append(together / alone)
        figures = {"one_turns_per_s": alone, "two_turns_per_s": together}
    parameters = {"people": people, "pairs": pairs, "ratios": _rounded(ratios)}
    name = "turns of two processes, to those of one"
    yield Comparison(name, parameters, median(ratios), OF_ONE_PROCESS, figures)
    hot = partial(_served, server, [Person(n) for n in range(PEOPLE_EACH)], 2, seconds)
    spread = partial(
        _served, server, [Person(n * PEOPLE_EACH) for n in range(PEOPLE_EACH)], 2, seconds
    )
    ratios = []
    for _ in range(pairs):
        apart, together = await spread(), await hot()
        ratios.append(together / apart)
        figures = {"spread_turns_per_s": apart, "hot_turns_per_s": together}
    parameters = {"people": PEOPLE_EACH, "pairs": pairs, "ratios": _rounded(ratios)}
    name = "turns of two processes at one partner, to those at a partner each"
    yield Comparison(name, parameters, median(ratios), OF_SPREAD, figures)
    ratios = []
    for _ in range(pairs):
        apart = await hot_wallet.one_by_one(server, seconds)
        together = await hot_wallet.grouped(server, seconds)
        ratios.append(together / apart)
        figures = {"one_by_one_writes_per_s": apart, "grouped_writes_per_s": together}
    writers = hot_wallet.PROCESSES * hot_wallet.EACH
    parameters = {"writers": writers, "pairs": pairs, "ratios": _rounded(ratios)}
    name = "grouped writes of two processes at one partner, to those of 64 connections"
    yield Comparison(name, parameters, median(ratios), OF_ONE_BY_ONE, figures)


async def _of_a_file(
    server: DatabaseServer,
    people: int,
    seconds: float,
    within: Path | None,
    pairs: int,
    warm_up_s: float,
) -> Comparison:
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
    parameters = {"people": people, "pairs": pairs, "ratios": _rounded(ratios)}
    name = "turns of one process on a server, to those on a file"
    return Comparison(name, parameters, median(ratios), OF_A_FILE, figures)


async def _served(
    server: DatabaseServer, crowd: Sequence[Person], processes: int, seconds: float
) -> float:
    """Turns a second of processes that share a database; each has every so-manieth person."""
    with closing(simulated_databases.on_server(server)) as world:
        database = await database_engine.open_database(world.address, SystemClock().now)
        await database.write(lambda tx: seed_people(tx, crowd))
        await database.close()
        begins_at = time.time() + START_S
        loop = asyncio.get_running_loop()
        spawning = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(processes, mp_context=spawning) as pool:
            loads = [
                loop.run_in_executor(
                    pool,
                    _walk_in_process,
                    world.address,
                    [person.n for person in crowd[number::processes]],
                    number,
                    begins_at,
                    seconds,
                )
                for number in range(processes)
            ]
            return sum(await asyncio.gather(*loads)) / seconds


def _walk_in_process(
    address: DatabaseAddress, crowd: Sequence[int], number: int, begins_at: float, seconds: float
) -> int:
    """How many turns were answered in the seconds from ``begins_at`` on."""
    log.configure("warning")
    return asyncio.run(_walk(address, crowd, number, begins_at, seconds))


async def _walk(
    address: DatabaseAddress, crowd: Sequence[int], number: int, begins_at: float, seconds: float
) -> int:
    update_ids = count(1 + number * 1_000_000_000)  # Telegram never gives one twice
    async with running_program(address, NullChannel()) as app:
        await app.stop_sending()
        load = Load([ScriptedUser(app, Person(n), update_ids) for n in crowd], None, None)
        load.start()
        await asyncio.sleep(max(0.0, begins_at - time.time()))
        load.reset()
        await asyncio.sleep(seconds)
        measured = len(load.latencies_s)
        await load.stop()
    return measured


def _rounded(ratios: Sequence[float]) -> list[float]:
    return [round(ratio, 3) for ratio in ratios]
