"""What one tab of a browser looks at. It lives in this process: a tab that comes back after the
process has gone loads the page again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from services.domain.token import draw_token
from services.ports import Random

if TYPE_CHECKING:
    from bot.simulation.page.drawn import Drawn

VIEWS_MAX = 200  # the first that no tab listens to is forgotten for another


class Drawer(StrEnum):
    TURN = "turn"
    MONEY = "money"
    WIRE = "wire"
    DUE = "due"
    LOG = "log"


@dataclass(slots=True)
class View:
    """``people`` are those whose phones are shown, one or two. ``drawn`` is what the tab has been
    sent, ``changed`` wakes its streams, of which number ``stream`` goes on."""

    id: str
    people: list[str]
    drawer: Drawer = Drawer.TURN
    drawn: Drawn | None = None
    stream: int = 0
    changed: set[asyncio.Event] = field(default_factory=set)

    def wake(self) -> None:
        for event in self.changed:
            event.set()


class Views:
    def __init__(self, random: Random) -> None:
        self._random = random
        self._by_id: dict[str, View] = {}

    def open(self, person: str) -> View:
        view = View(draw_token(self._random), [person])
        self._by_id[view.id] = view
        if len(self._by_id) > VIEWS_MAX:
            idle = [one.id for one in self._by_id.values() if not one.changed]
            forgotten = self._by_id.pop(idle[0] if idle else next(iter(self._by_id)))
            forgotten.wake()
        return view

    def get(self, view_id: str) -> View | None:
        return self._by_id.get(view_id)

    def every(self) -> list[View]:
        return list(self._by_id.values())

    def wake(self) -> None:
        for view in self._by_id.values():
            view.wake()
