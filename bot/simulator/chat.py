"""Starts ``hazina sim`` on this process's input and output, or says why it will not."""

from __future__ import annotations

import asyncio
import io
import signal
import sqlite3
import sys
import tempfile
from pathlib import Path

from bot.simulator import commands, demo
from bot.simulator.console import Console, Keyboard, Piped
from bot.simulator.quiet_log import quiet_log
from bot.simulator.settings import beside_production, wants_colour
from bot.simulator.sim import Sim
from storage.database import DatabaseInUse
from storage.migrate import MigrationError

WORDS = ("/topup", "/balance", "/history", "/menu", "/cancel", "/help")


def chat(database: Path | None, *, verbose: bool) -> int:
    """Returns the exit status: 0, or 2 when refused with a line that says why."""
    refused = beside_production()
    if refused is None and database is not None:
        try:
            demo.check(database)
        except (demo.NotTheDemos, OSError, sqlite3.Error) as error:
            refused = _about(database, error)
    if refused is None:
        try:
            return asyncio.run(_chat(database, verbose))
        except (DatabaseInUse, MigrationError) as error:
            refused = str(error)
        except (OSError, sqlite3.Error) as error:
            if database is None or isinstance(error, BrokenPipeError):
                raise
            refused = _about(database, error)
    print(refused, file=sys.stderr)
    return 2


async def _chat(database: Path | None, verbose: bool) -> int:
    task = asyncio.current_task()
    assert task is not None
    told: list[int] = []

    def end(by: int) -> None:
        """Once: a second signal must not cut the closing short (a terminal that goes sends two)."""
        if not told:
            task.cancel()
        told.append(by)

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end, number)
    with tempfile.TemporaryDirectory(prefix="hazina-sim-") as folder:
        sim = Sim(Path(folder), _console(), kept=database)
        with quiet_log(sim.log, verbose=verbose):
            try:
                await sim.run()
            except asyncio.CancelledError:
                if not told:
                    raise
                return 128 + told[0]
    return 0


def _console() -> Console:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    if sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty():
        words = [*WORDS, *commands.words()]
        return Keyboard(sys.stdout, words, colour=wants_colour())
    return Piped(None if sys.stdin is None else sys.stdin.fileno(), sys.stdout)


def _about(database: Path, error: Exception) -> str:
    if isinstance(error, demo.NotTheDemos):
        return str(error)
    return f"{database} cannot be used as the database: {error}"
