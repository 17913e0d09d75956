"""All tiles, in the order of the page."""

from __future__ import annotations

from bot.http.dashboard.tiles.tile import Tile

TILES: tuple[Tile, ...] = ()
