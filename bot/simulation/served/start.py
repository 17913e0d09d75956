"""Starts ``hazina sim --serve`` on this machine, unless it must not."""

from __future__ import annotations

import asyncio
import json
import resource
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bot.clock import system_random
from bot.http.server import PortUnavailable, serving
from bot.scripts.source_line import ScriptError
from bot.simulation.credentials import USSD_SECRET
from bot.simulation.log_capture import page_log
from bot.simulation.page.app import PageApp
from bot.simulation.page.state import PageState
from bot.simulation.served.routes import refusal, served_routes
from bot.simulation.served.served_world import ServedWorld
from bot.simulation.settings import reason_not_to_start
from services.domain.database import DatabaseFault, DatabaseServer

HOST = "127.0.0.1"
CONNECTIONS_MAX = 1_500
OWN_FILES = 100  # of the world and the product


def serve(
    port: int, overrides: Mapping[str, str], *, verbose: bool, server: DatabaseServer | None = None
) -> int:
    """The exit status: 128 and the signal that ended it, or 2 if refused with a one-line reason."""
    refused = reason_not_to_start()
    if refused is None:
        try:
            return asyncio.run(_serve(port, overrides, verbose, server))
        except ScriptError as error:
            refused = f"--set: {error.reason}"
        except DatabaseFault as fault:
            refused = f"--database: {fault}"
        except PortUnavailable as fault:
            refused = f"{fault.reason}: choose another with --serve PORT"
    print(refused, file=sys.stderr)
    return 2


def _room() -> int:
    """How many may be connected: the process raises its limit on open files as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS_MAX + OWN_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return CONNECTIONS_MAX if soft == resource.RLIM_INFINITY else min(wanted, soft) - OWN_FILES


async def _serve(
    port: int, overrides: Mapping[str, str], verbose: bool, server: DatabaseServer | None
) -> int:
    stop = asyncio.Event()
    signals: list[int] = []

    def end(by: int) -> None:
        signals.append(by)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end, number)
    with tempfile.TemporaryDirectory(prefix="hazina-sim-") as folder:
        served = ServedWorld(Path(folder), overrides, server)
        page = PageState(served, system_random())
        with page_log(_to_standard_error, page.add_log_line, verbose=verbose):
            try:
                await _run(served, page, port, stop)
            finally:
                await served.close()
    return 128 + signals[0] if signals else 0


async def _run(served: ServedWorld, page: PageState, port: int, stop: asyncio.Event) -> None:
    async with serving(
        [*PageApp(page).routes(), *served_routes(served)],
        HOST,
        port,
        stop,
        connections_max=_room(),
        refusal=refusal,
    ) as addresses:
        url = f"http://{HOST}:{addresses[0][1]}"
        served.served_at(url)
        keys = await served.open()
        clock = asyncio.create_task(served.run())
        first_line = {
            "url": url,
            "keys": keys,
            "page": f"{url}/",
            "ussd": f"{url}/ussd/{USSD_SECRET}",
        }
        print(json.dumps(first_line), flush=True)
        if sys.stdout.isatty():
            _to_standard_error(f"Open {url}/ in a browser. Ctrl-C ends it.")
        await stop.wait()
        await page.story.stop()
        await served.end()
        await clock


def _to_standard_error(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
