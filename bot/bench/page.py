"""A turn in the simulator's page beside the same turn in the terminal's simulator.

Each runs alone in its own world, one after the other: two worlds in one event loop would wait for
each other. What counts is the processor's time, of all threads.
"""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from bot.bench.program import FLOOD_TURNS
from bot.bench.report import Comparison, Target
from bot.clock import system_random
from bot.http.request_limits import with_request_limits
from bot.simulation.asgi_call import asgi_call
from bot.simulation.console.console import PipedConsole
from bot.simulation.console.simulator import Simulator
from bot.simulation.page.app import PageApp
from bot.simulation.page.drawn import Drawn
from bot.simulation.page.state import PageState
from bot.simulation.served.served_world import ServedWorld

RATIO = Target("ratio", at_most=1.5)
LINES = ("/balance", "/topup 1500", "/menu", "/history")
WARM_UP = 20  # turns
PERSON = "wanjiru"


async def measure(turns: int, pairs: int, folder: Path | None) -> AsyncIterator[Comparison]:
    """``turns`` of each, ``pairs`` times."""
    terminal, page = [], []
    for _ in range(pairs):
        with tempfile.TemporaryDirectory(dir=folder) as home:
            terminal.append(await _terminal(Path(home), turns))
        with tempfile.TemporaryDirectory(dir=folder) as home:
            page.append(await _page(Path(home), turns))
    ratio = median(there / here for here, there in zip(terminal, page, strict=True))
    yield Comparison(
        "a turn in the page, in turns of the terminal's simulator",
        {"turns": turns, "pairs": pairs},
        ratio,
        RATIO,
        {"terminal_ms": median(terminal) * 1000, "page_ms": median(page) * 1000},
    )


async def _terminal(home: Path, turns: int) -> float:
    """Processor seconds of a turn, from the typed line to the printed answer."""
    simulator = Simulator(home, PipedConsole(None, io.StringIO()))
    world = simulator.world
    world.settings = world.settings.model_copy(update={"flood_turns": FLOOD_TURNS})
    await simulator.begin()
    for n in range(WARM_UP):
        await simulator.handle_line(LINES[n % len(LINES)])
    began = time.process_time()
    for n in range(turns):
        await simulator.handle_line(LINES[n % len(LINES)])
    took = time.process_time() - began
    await world.close()
    return took / turns


async def _page(home: Path, turns: int) -> float:
    """Processor seconds of a turn, from the request to what the stream sends of it."""
    served = ServedWorld(home, {"FLOOD_TURNS": str(FLOOD_TURNS)})
    page = PageState(served, system_random())
    app = with_request_limits(PageApp(page).routes())
    await served.open()
    view = page.views.open(PERSON)
    drawn = view.drawn = Drawn(page, view)
    await drawn.whole()
    headers = [
        (b"host", b"127.0.0.1:8420"),
        (b"content-type", b"application/x-www-form-urlencoded"),
        (b"x-hazina-token", page.token.encode()),
    ]

    async def turn(n: int) -> None:
        fields = {"view": view.id, "person": PERSON, "text": LINES[n % len(LINES)]}
        body = urlencode(fields).encode()
        answer = await asgi_call(app, "POST", "/page/do/say", b"", headers, body)
        assert answer.status == 204, answer.body
        assert "<article" in await drawn.news()

    for n in range(WARM_UP):
        await turn(n)
    began = time.process_time()
    for n in range(turns):
        await turn(n)
    took = time.process_time() - began
    await served.end()
    await served.close()
    return took / turns
