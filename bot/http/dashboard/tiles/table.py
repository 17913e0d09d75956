"""All tiles, in the order of the page."""

from __future__ import annotations

from bot.http.dashboard.tiles.balances import BALANCES
from bot.http.dashboard.tiles.channels import CHANNELS
from bot.http.dashboard.tiles.dropoff import DROPOFF
from bot.http.dashboard.tiles.payouts import PAYOUTS
from bot.http.dashboard.tiles.queues import QUEUES
from bot.http.dashboard.tiles.safety import SAFETY
from bot.http.dashboard.tiles.stuck import STUCK
from bot.http.dashboard.tiles.tile import Tile
from bot.http.dashboard.tiles.today import TODAY

TILES: tuple[Tile, ...] = (
    STUCK,
    TODAY,
    SAFETY,
    PAYOUTS,
    BALANCES,
    CHANNELS,
    QUEUES,
    DROPOFF,
)
