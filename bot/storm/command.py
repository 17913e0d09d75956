"""``hazina storm``: tell stories by their seeds, and stop at the first that does not hold."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.storm.story import Violation


SHOWN = 40  # things that happened before an invariant was seen broken
_SEEDS = re.compile(r"([0-9]{1,9})(?:\.\.([0-9]{1,9}))?")


@click.command()
@click.option("--seeds", default="1..10", show_default=True, help="A..B, or one.")
@click.option("--hours", default=24.0, show_default=True, help="Simulated hours of each world.")
@click.option("--partners", default=3, show_default=True, help="In each, with three people each.")
@click.option("--for", "limit_s", type=float, help="Begin no more worlds after so many seconds.")
@click.option("--quiet", is_flag=True, help="Only the sums.")
def storm(seeds: str, hours: float, partners: int, limit_s: float | None, quiet: bool) -> None:
    """Play seeded worlds with every fault, and check the books after every step.

    The same seed, hours and partners always lead to the same story. Exit 1 at the first
    violation, with what led to it.
    """
    from bot.storm.story import Violation, tell

    match = _SEEDS.fullmatch(seeds)
    if match is None or hours <= 0 or not 1 <= partners <= 99:
        click.echo("--seeds is written 1..10 or 7; --hours above 0; --partners 1 to 99", err=True)
        sys.exit(2)
    first, last = int(match[1]), int(match[2] or match[1])
    began, worlds = time.perf_counter(), 0
    sums: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    for seed in range(first, last + 1):
        if limit_s is not None and time.perf_counter() - began > limit_s:
            break
        try:
            tally = asyncio.run(tell(seed, hours, partners))
        except Violation as violation:
            _show(violation, hours, partners)
            sys.exit(1)
        worlds += 1
        sums.update(turns=tally.turns, steps=tally.steps, operations=tally.operations)
        faults += tally.faults
        if not quiet:
            click.echo(
                f"seed {seed}: {tally.turns} turns, {tally.operations} operations,"
                f" {sum(tally.faults.values())} faults"
            )
    took = time.perf_counter() - began
    click.echo(
        f"{worlds} worlds of {hours:g} h, {sums['turns']} turns, {sums['operations']} operations,"
        f" {sums['steps']} steps, {sum(faults.values())} faults, 0 violations;"
        f" {sums['turns'] / took:.0f} turns/s"
    )
    click.echo("faults: " + ", ".join(f"{name} {count}" for name, count in sorted(faults.items())))


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
