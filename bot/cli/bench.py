"""``hazina bench``: measures the program on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.database_address import server_option

if TYPE_CHECKING:
    from bot.bench.report import Case, Comparison
    from services.domain.database import DatabaseServer

_folder = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Where the temporary databases go: name a real disk. Default: TMPDIR.",
)


@click.group()
def bench() -> None:
    """Measure the program on this machine; one line of JSON a case."""


@bench.command()
@click.option("--people", default=64, show_default=True, help="How many write at once.")
@click.option("--seconds", default=10.0, show_default=True, help="How long each case runs.")
@click.option("--pairs", default=3, show_default=True, help="With --database: runs of each.")
@_folder
@server_option
def turns(
    people: int, seconds: float, pairs: int, folder: Path | None, server: DatabaseServer | None
) -> None:
    """Durable turns a second, from Telegram's JSON to the committed reply. With --database: of a
    server's, as a ratio to those of a file."""
    from bot.bench import on_server
    from bot.bench.turns import measure

    if server is None:
        _print(measure(people, seconds, folder))
    else:
        _print(on_server.measure(server, people, seconds, folder, pairs))


@bench.command()
@click.option("--people", default=64, show_default=True, help="How many write at once.")
@click.option("--seconds", default=5.0, show_default=True, help="How long each run takes.")
@click.option("--pairs", default=5, show_default=True, help="Runs of each, one after the other.")
@_folder
def telegram(people: int, seconds: float, pairs: int, folder: Path | None) -> None:
    """Answers a second up to Telegram's HTTP client, beside PTB's own conversations."""
    from bot.bench.telegram import measure

    _print(measure(people, seconds, pairs, folder))


@bench.command()
@click.option(
    "--operations", multiple=True, type=int, help="In the database. Default: 1,000 and 1,000,000."
)
@click.option(
    "--rate",
    multiple=True,
    type=float,
    help="Turns a second beside; 0: all that fit. Default: 500 and 0.",
)
@click.option("--samples", default=500, show_default=True, help="Of each screen.")
@_folder
def screens(
    operations: tuple[int, ...], rate: tuple[float, ...], samples: int, folder: Path | None
) -> None:
    """How long balance, history and starting a top-up take beside a full load of turns."""
    from bot.bench.screens import measure

    for number in operations or (1_000, 1_000_000):
        for turns_per_s in rate or (500.0, 0.0):
            _print(measure(number, turns_per_s or None, samples, folder))


@bench.command()
@click.option("--prompts", default=10_000, show_default=True, help="How many are begun.")
@click.option("--spread", default=60.0, show_default=True, help="Seconds over which they begin.")
@click.option("--by-chat", is_flag=True, help="Begin each by four turns and a prompt request.")
@click.option("--latency", default=0.2, show_default=True, help="Mean seconds of a bank's answer.")
@_folder
def polls(prompts: int, spread: float, by_chat: bool, latency: float, folder: Path | None) -> None:
    """Open prompts settled on real time, and how late."""
    from bot.bench.polls import measure

    _print(measure(prompts, spread, latency, by_chat, folder))


@bench.command(name="float")
@click.option("--purchases", default=3_000, show_default=True, help="How many are made.")
@_folder
def float_(purchases: int, folder: Path | None) -> None:
    """Float purchases a second, end to end, and what codes and balances take meanwhile."""
    from bot.bench.float import measure

    _print(measure(purchases, folder))


@bench.command()
@click.option(
    "--rows", default=1_000, show_default=True, help="Of the file, and as many purchases."
)
@click.option("--rounds", default=3, show_default=True, help="Of both, in turns; medians are told.")
@_folder
def payouts(rows: int, rounds: int, folder: Path | None) -> None:
    """A file of payouts, end to end, as a ratio to float purchases in the same run."""
    from bot.bench.payouts import measure

    _print(measure(rows, rounds, folder))


@bench.command()
@click.option("--operations", default=10_000, show_default=True, help="Left open, all of them due.")
@_folder
def recovery(operations: int, folder: Path | None) -> None:
    """From the start of the program to its first answer, with much left open."""
    from bot.bench.recovery import measure

    _print(measure(operations, folder))


@bench.command()
@click.option("--operations", default=1_000_000, show_default=True, help="In the database.")
@click.option("--samples", default=500, show_default=True, help="Reads of each in a run.")
@click.option("--pairs", default=5, show_default=True, help="Runs of each and of its peer.")
@_folder
def dashboard(operations: int, samples: int, pairs: int, folder: Path | None) -> None:
    """What each tile of the dashboard reads, beside a balance read."""
    from bot.bench.dashboard import measure

    _print(measure(operations, samples, pairs, folder))


@bench.command()
@click.option("--callers", default=64, show_default=True, help="How many call at once.")
@click.option("--seconds", default=2.0, show_default=True, help="How long each run takes.")
@click.option("--pairs", default=5, show_default=True, help="Runs of each and of its peer.")
@click.option("--waiting", default=1_000, show_default=True, help="Calls that wait.")
@click.option("--events", default=10_000, show_default=True, help="Sent to a receiver.")
@_folder
def api(
    callers: int, seconds: float, pairs: int, waiting: int, events: int, folder: Path | None
) -> None:
    """Calls of the HTTP API, each beside a bare route or a chat turn of the same run."""
    from bot.bench.api.cases import measure
    from bot.bench.program import API_CALLS

    click.echo(
        f"raised for this: API_READS_PER_MINUTE={API_CALLS} API_MOVES_PER_MINUTE={API_CALLS},"
        " and the limit on connections",
        err=True,
    )
    _print(measure(callers, seconds, pairs, waiting, events, folder))


@bench.command()
@click.option("--turns", default=300, show_default=True, help="Of each run.")
@click.option("--pairs", default=5, show_default=True, help="Runs of each.")
@_folder
def page(turns: int, pairs: int, folder: Path | None) -> None:
    """A turn in the simulator's page, beside the same turn in the terminal's simulator."""
    from bot.bench.page import measure

    _print(measure(turns, pairs, folder))


@bench.command()
@click.option("--sessions", default=200, show_default=True, help="Open at once, a hop a second.")
@click.option("--seconds", default=20.0, show_default=True, help="How long they go on.")
@click.option("--topups", default=300, show_default=True, help="Of each run beside turns.")
@click.option("--pairs", default=5, show_default=True, help="Runs of each.")
@_folder
def ussd(sessions: int, seconds: float, topups: int, pairs: int, folder: Path | None) -> None:
    """Hops of phones that dial: a second of many sessions, and beside the turns of a chat."""
    from bot.bench.ussd import measure

    _print(measure(sessions, seconds, topups, pairs, folder))


def _print(
    cases: AsyncIterator[Case | Comparison] | AsyncIterator[Case] | AsyncIterator[Comparison],
) -> None:
    import asyncio

    from bot.bench.program import FLOOD_TURNS
    from bot.observe.log import configure

    click.echo(f"raised for this: FLOOD_TURNS={FLOOD_TURNS}", err=True)
    configure("warning")

    async def run() -> None:
        async for case in cases:
            click.echo(case.line())

    asyncio.run(run())
