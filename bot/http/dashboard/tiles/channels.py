"""How the ways in and out do: delays, refusals, failures, the bank's answers and webhooks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from bot.http.dashboard.desk import Desk
from bot.http.dashboard.measured import totals, within_s
from bot.http.dashboard.tiles.tile import Facts, Tile
from bot.http.dashboard.wording import COUNTED_MAX
from services.domain.overview import QueuedMessages
from services.ports import Tx

SHARE = 0.95  # of turns and sends: how long most of them take
ANSWERS_WITHIN = timedelta(minutes=15)
ANSWERS_MAX = 300  # newest calls examined
DEAD_FOR = timedelta(hours=24)
LISTED = 10


@dataclass(slots=True)
class ChannelFigures:
    """``outcomes`` since the program started, ``dead`` within ``DEAD_FOR``."""

    name: str
    outcomes: Counter[str] = field(default_factory=Counter)
    queued: QueuedMessages | None = None
    dead: int = 0
    within_s: float | None = None


def _read(tx: Tx, desk: Desk) -> Facts:
    metrics = desk.app.metrics
    turns = totals(metrics.turns)
    return {
        "now": tx.now,
        "desk": desk,
        "share": SHARE,
        "channels": _channels(tx, desk),
        "turns": sum(turns.values()),
        "faults": turns.get(("fault",), 0),
        "turn_within_s": within_s(metrics.turn_seconds, SHARE),
        "answers": tx.evidence.call_counts_since(tx.now - ANSWERS_WITHIN, ANSWERS_MAX),
        "answers_minutes": ANSWERS_WITHIN // timedelta(minutes=1),
        "webhooks": sorted(totals(metrics.webhooks).items()),
        "endpoints": tx.overview.unhappy_endpoints(LISTED),
    }


def _channels(tx: Tx, desk: Desk) -> list[ChannelFigures]:
    found: dict[str, ChannelFigures] = {}

    def of(name: str) -> ChannelFigures:
        return found.setdefault(name, ChannelFigures(name))

    for (name, outcome), number in totals(desk.app.metrics.sends).items():
        of(name).outcomes[outcome] += number
        of(name).within_s = within_s(desk.app.metrics.send_seconds, SHARE, channel=name)
    for queued in tx.overview.queued_messages(COUNTED_MAX):
        of(queued.channel).queued = queued
    for name, dead in tx.overview.dead_messages(tx.now - DEAD_FOR, COUNTED_MAX):
        of(name).dead = dead
    return [found[name] for name in sorted(found)]


CHANNELS = Tile("channels", "Channels", _read)
