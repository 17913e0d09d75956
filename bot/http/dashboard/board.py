"""The tiles as they were last read, shared by all who look, so that many cost as much as one."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256

from markupsafe import Markup

from bot.http.dashboard.desk import Desk
from bot.http.dashboard.site import Site
from bot.http.dashboard.tiles.dropoff import ask_for_figures
from bot.http.dashboard.tiles.tile import Facts, Tile
from services.ports import Tx

FRESH_S = 2.0  # a reading is shown to whoever asks within this time
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Picture:
    """``seen`` names the tile and its content, for the page to say what it shows already."""

    html: Markup
    changed: Markup  # the same, to take the place of what the page shows
    seen: str


class Board:
    def __init__(self, site: Site, desk: Desk, tiles: Sequence[Tile]) -> None:
        self._site = site
        self._desk = desk
        self._tiles = tiles
        self._reading = asyncio.Lock()
        self._read_at = float("-inf")
        self._pictures: Sequence[Picture] = ()

    async def pictures(self) -> Sequence[Picture]:
        """All tiles, of one moment."""
        async with self._reading:
            now = self._site.app.metrics.monotonic()
            if now - self._read_at >= FRESH_S:
                ask_for_figures(self._desk, self._site.app.database.time.now())
                facts = await self._site.app.database.read(self._read)
                self._pictures = [
                    self._drawn(tile, {"desk": self._desk, **read, **tile.beside(self._desk)})
                    for tile, read in zip(self._tiles, facts, strict=True)
                ]
                self._read_at = now
            return self._pictures

    async def changed(self, seen: Collection[str]) -> Markup:
        """The tiles that the page shows otherwise, to be swapped in."""
        pictures = await self.pictures()
        return Markup("").join(one.changed for one in pictures if one.seen not in seen)

    def _read(self, tx: Tx) -> list[Facts]:
        return [tile.read(tx, self._desk) for tile in self._tiles]

    def _drawn(self, tile: Tile, facts: Facts) -> Picture:
        body = Markup(self._site.words(f"tiles/{tile.name}.html", **facts))
        seen = f"{tile.name}:{sha256(body.encode()).hexdigest()[:_DIGITS]}"
        html, changed = (
            Markup(self._site.words("tile.html", tile=tile, body=body, seen=seen, swap=swap))
            for swap in (False, True)
        )
        return Picture(html, changed, seen)
