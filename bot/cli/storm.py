"""``hazina storm``: plays seeded worlds, and stops at the first violation."""

from __future__ import annotations

import gc
import re
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from bot.cli.database_address import server_option

if TYPE_CHECKING:
    from concurrent.futures import Future

    from bot.storm.story import Tally, Violation
    from services.domain.database import DatabaseServer


SHOWN = 40  # last events before a broken invariant
GARBAGE = (20_000, 20, 20)  # gc thresholds: a world allocates much and keeps little
_SEEDS = re.compile(r"([0-9]{1,9})(?:\.\.([0-9]{1,9}))?")


@click.command()
@click.option("--seeds", default="1..10", show_default=True, help="A..B, or one.")
@click.option("--hours", default=24.0, show_default=True, help="Simulated hours of each world.")
@click.option("--partners", default=3, show_default=True, help="In each, with three people each.")
@click.option("--for", "limit_s", type=float, help="Begin no more worlds after so many seconds.")
@click.option("--jobs", default=1, show_default=True, help="Processes, each with its own worlds.")
@click.option("--quiet", is_flag=True, help="Only the sums.")
@server_option
def storm(
    seeds: str,
    hours: float,
    partners: int,
    limit_s: float | None,
    jobs: int,
    quiet: bool,
    server: DatabaseServer | None,
) -> None:
    """Play seeded worlds with every fault, and check books and answers after every step.

    The same seed, hours and partners always lead to the same story. Exit 1 at the first
    violation, with what led to it.
    """
    from functools import partial

    from bot.storm.storm_run import run_in_new_loop
    from bot.storm.story import Violation

    match = _SEEDS.fullmatch(seeds)
    if match is None or hours <= 0 or not 1 <= partners <= 99 or not 1 <= jobs <= 64:
        click.echo(
            "--seeds is written 1..10 or 7; --hours above 0; --partners 1 to 99; --jobs 1 to 64",
            err=True,
        )
        sys.exit(2)
    chosen = range(int(match[1]), int(match[2] or match[1]) + 1)
    began, worlds = time.perf_counter(), 0
    sums: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    with ExitStack() as stack:
        play = partial(run_in_new_loop, hours=hours, partners=partners, server=server)
        tallies = _tallies(stack, _until(limit_s, chosen), play, jobs)
        try:
            for seed, tally in tallies:
                worlds += 1
                sums.update(turns=tally.turns, steps=tally.steps)
                sums.update(operations=tally.operations, calls=tally.calls, hops=tally.hops)
                faults += tally.faults
                if not quiet:
                    click.echo(
                        f"seed {seed}: {tally.turns} turns, {tally.hops} hops,"
                        f" {tally.calls} calls, {tally.operations} operations,"
                        f" {sum(tally.faults.values())} faults"
                    )
        except Violation as violation:
            _show(violation, hours, partners)
            sys.exit(1)
    took = time.perf_counter() - began
    click.echo(
        f"{worlds} worlds of {hours:g} h, {sums['turns']} turns, {sums['hops']} hops,"
        f" {sums['calls']} calls, {sums['operations']} operations, {sums['steps']} steps,"
        f" {sum(faults.values())} faults,"
        f" 0 violations; {sums['turns'] / took:.0f} turns/s"
    )
    click.echo("faults: " + ", ".join(f"{name} {count}" for name, count in sorted(faults.items())))


def _until(limit_s: float | None, seeds: Iterable[int]) -> Iterator[int]:
    began = time.perf_counter()
    for seed in seeds:
        if limit_s is not None and time.perf_counter() - began > limit_s:
            return
        yield seed


def _tallies(
    stack: ExitStack, seeds: Iterator[int], play: Callable[[int], Tally], jobs: int
) -> Iterator[tuple[int, Tally]]:
    """Results in seed order; takes only as many seeds ahead as keep the processes busy."""
    from concurrent.futures import ProcessPoolExecutor

    if jobs == 1:
        _remember_imports()
        for seed in seeds:
            yield seed, play(seed)
        return
    pool = ProcessPoolExecutor(jobs, initializer=_remember_imports)
    stack.callback(pool.shutdown, cancel_futures=True)
    playing: deque[tuple[int, Future[Tally]]] = deque()
    for seed in seeds:
        playing.append((seed, pool.submit(play, seed)))
        if len(playing) >= 2 * jobs:
            first, tally = playing.popleft()
            yield first, tally.result()
    for first, tally in playing:
        yield first, tally.result()


def _remember_imports() -> None:
    """Exempt everything imported so far from garbage collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


def _show(violation: Violation, hours: float, partners: int) -> None:
    for broken in violation.broken[:SHOWN]:
        click.echo(f"{broken.invariant}: {broken.words}", err=True)
    click.echo("What happened before:", err=True)
    for line in violation.story[-SHOWN:]:
        click.echo(f"  {line}", err=True)
    click.echo(
        f"seed {violation.seed} at step {violation.step}; again:"
        f" hazina storm --seeds {violation.seed} --hours {hours:g} --partners {partners}",
        err=True,
    )
