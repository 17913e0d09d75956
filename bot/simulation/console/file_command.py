"""``:file``: the person sends a file of payouts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from bot.channels.terminal import CHANNEL
from bot.scripts.payout_file import good_rows, written
from bot.simulation.console.usage import Command, CommandError, clip
from flows.engine.event import FILE_BYTES_MAX, file_event

if TYPE_CHECKING:
    from bot.simulation.console.simulator import Simulator

EXAMPLE = ":file payouts.csv rows 12"
_GENERATED = re.compile(r"(\S+) rows ([1-9][0-9]{0,3})")
_SEED = 1


async def _file(sim: Simulator, rest: str) -> None:
    if not rest:
        raise CommandError(f"Written :file PATH, or {EXAMPLE}, which makes as many good rows.")
    if sim.handset.holds(sim.who):
        raise CommandError("A phone that has dialled sends no file. /menu goes back to the chat.")
    made = _GENERATED.fullmatch(rest)
    if made is not None:
        name, content = made[1], written(good_rows(int(made[2]), _SEED), None)
    else:
        name, content = Path(rest).name, _read(Path(rest))
    sim.say(f"{clip(name)} is sent, {len(content):,} bytes.")
    event_id = sim.next_event_id()
    sim.submit(file_event(CHANNEL, sim.who, event_id, name, content, event_id))


def _read(path: Path) -> bytes:
    """Raises ``CommandError``."""
    try:
        if not path.expanduser().is_file():
            raise CommandError(f"There is no file {clip(str(path))}.")
        with path.expanduser().open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except (OSError, RuntimeError, ValueError) as error:  # no home, or a NUL in the path
        why = getattr(error, "strerror", None) or str(error)
        raise CommandError(f"{clip(str(path))} cannot be read: {why}.") from None
    if len(content) > FILE_BYTES_MAX:
        raise CommandError(f"{clip(str(path))} is over 1 MiB, the most that a file may have.")
    return content


FILE = Command(
    ":file PATH\n:file NAME rows 12",
    "send a file of payouts from your disk\nor one with as many good rows",
    _file,
)
