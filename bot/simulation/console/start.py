"""Starts ``hazina sim`` on this process's standard input and output, unless it must not."""

from __future__ import annotations

import asyncio
import io
import signal
import sys

from bot.simulation.console import commands
from bot.simulation.console.console import Console, PipedConsole, TerminalConsole
from bot.simulation.console.simulator import Simulator
from bot.simulation.credentials import USSD_CODE
from bot.simulation.home import home
from bot.simulation.log_capture import brief_log
from bot.simulation.settings import reason_not_to_start, wants_colour
from services.domain.database import DatabaseFault, DatabaseServer

WORDS = ("/topup", "/balance", "/history", "/menu", "/cancel", "/help", USSD_CODE)


def chat(*, verbose: bool, dials: bool = False, server: DatabaseServer | None = None) -> int:
    """The exit status: 0, or 2 if refused with a one-line reason."""
    refused = reason_not_to_start()
    if refused is None:
        try:
            return asyncio.run(_chat(verbose, dials, server))
        except DatabaseFault as fault:
            refused = f"--database: {fault}"
    print(refused, file=sys.stderr)
    return 2


async def _chat(verbose: bool, dials: bool, server: DatabaseServer | None) -> int:
    task = asyncio.current_task()
    assert task is not None
    signals: list[int] = []

    def end(by: int) -> None:
        """Only once: a second signal must not interrupt the shutdown (a closing terminal sends
        two).
        """
        if not signals:
            task.cancel()
        signals.append(by)

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end, number)
    with home(server) as its_home:
        sim = Simulator(its_home, _console(), dials=dials)
        with brief_log(sim.log, verbose=verbose):
            try:
                await sim.run()
            except asyncio.CancelledError:
                if not signals:
                    raise
                return 128 + signals[0]
    return 0


def _console() -> Console:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    if sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty():
        words = [*WORDS, *commands.words()]
        return TerminalConsole(sys.stdout, words, colour=wants_colour())
    return PipedConsole(None if sys.stdin is None else sys.stdin.fileno(), sys.stdout)
