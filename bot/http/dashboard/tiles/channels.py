"""How the ways in and out do: delays, refusals, failures, the bank's answers and webhooks."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta

from bot.http.dashboard.desk import Desk
from bot.http.dashboard.measured import totals, within_s
from bot.http.dashboard.tiles.tile import Facts, Tile
from bot.http.dashboard.wording import COUNTED_MAX
from services.ports import Tx

SHARE = 0.95  # of turns and messages: how long most of them take
ANSWERS_WITHIN = timedelta(minutes=15)
ANSWERS_MAX = 200  # newest calls examined
DEAD_FOR = timedelta(hours=24)
DEAD_MAX = 100  # the newest that are counted
LISTED = 10


def _read(tx: Tx, desk: Desk) -> Facts:
    return {
        "now": tx.now,
        "dead_max": DEAD_MAX,
        "queued": {one.channel: one for one in tx.overview.queued_messages(COUNTED_MAX)},
        "dead": dict(tx.overview.dead_messages(tx.now - DEAD_FOR, DEAD_MAX)),
        "answers": tx.evidence.call_counts_since(tx.now - ANSWERS_WITHIN, ANSWERS_MAX),
        "answers_minutes": ANSWERS_WITHIN // timedelta(minutes=1),
        "endpoints": tx.overview.unhappy_endpoints(LISTED),
    }


def _beside(desk: Desk) -> Facts:
    metrics = desk.app.metrics
    turns, messages = totals(metrics.turns), totals(metrics.messages)
    outcomes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (channel, outcome), number in messages.items():
        outcomes[channel][outcome] += number
    return {
        "share": SHARE,
        "turns": sum(turns.values()),
        "faults": turns.get(("fault",), 0),
        "turn_within_s": within_s(metrics.turn_seconds, SHARE),
        "outcomes": outcomes,
        "send_within_s": {
            channel: within_s(metrics.message_seconds, SHARE, channel=channel)
            for channel in outcomes
        },
        "webhooks": sorted(totals(metrics.webhooks).items()),
    }


CHANNELS = Tile("channels", "Channels", _read, _beside)
