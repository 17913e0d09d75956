"""The drawer's Turn: where each turn arrived, what it did and how long it took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.channels.terminal import CHANNEL as CHAT
from bot.simulation.scene import Scene
from services.domain.trail import TrailRow
from services.domain.ussd import CHANNEL as USSD
from services.ports import Tx

ROWS_MAX = 10


@dataclass(frozen=True, slots=True)
class Turn:
    """``ms`` is known of what came from a chat of this page since the last restart or kill."""

    at: datetime
    who: str
    entry: str
    before: str
    outcome: str
    after: str
    operation: str | None
    ms: float | None


def turns(scene: Scene, tx: Tx) -> Sequence[Turn]:
    """The newest first."""
    took: dict[str, list[float]] = {}
    for address, seconds in scene.world.turns_took:
        took.setdefault(address, []).append(seconds * 1000)
    return [_turn(scene, row, took.get(row.address, [])) for row in tx.trail.newest(ROWS_MAX)]


def _turn(scene: Scene, row: TrailRow, took: list[float]) -> Turn:
    """``took`` ends with the duration of this row's turn, which is taken off it."""
    is_here = row.channel == CHAT
    return Turn(
        row.at,
        _who(scene, row),
        row.entry,
        row.before or "menu",
        row.outcome,
        row.after or "menu",
        row.operation,
        took.pop() if is_here and took else None,
    )


def _who(scene: Scene, row: TrailRow) -> str:
    """A person by name; programs by their channel."""
    name = scene.people.names.get(row.address, row.address)
    return {CHAT: name, USSD: f"{name}, USSD"}.get(row.channel, row.channel)
