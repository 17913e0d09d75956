"""``hazina sim`` with piped input, and what a person reads of its output."""

from __future__ import annotations

import io
from pathlib import Path

from bot.simulation.console.console import PipedConsole
from bot.simulation.console.simulator import Simulator
from bot.simulation.log_capture import brief_log

TOPUP = "/topup\n1500\n1\n1\n"
CREDENTIALS = ("TELEGRAM_BOT_TOKEN", "NCBA_USERNAME", "NCBA_PASSWORD")


async def play(
    tmp_path: Path, script: str | bytes, *, verbose: bool = False, dials: bool = False
) -> str:
    """The whole transcript of a piped script."""
    folder = tmp_path / "world"
    folder.mkdir(exist_ok=True)
    source = tmp_path / "script"
    source.write_bytes(script.encode() if isinstance(script, str) else script)
    output = io.StringIO()
    with source.open("rb") as file:
        sim = Simulator(folder, PipedConsole(file.fileno(), output), dials=dials)
        with brief_log(sim.log, verbose=verbose):
            await sim.run()
    return output.getvalue()


def after(transcript: str, line: str) -> str:
    """What followed the last time ``line`` was said, up to the next input."""
    return transcript.rpartition(f"> {line}\n")[2].partition("\n> ")[0]
