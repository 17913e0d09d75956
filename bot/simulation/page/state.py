"""What the page keeps besides the world: templates, log, story, and what phones do not show."""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from pathlib import Path

from markupsafe import Markup

from bot.http.web.assets import OWN, VENDOR, Assets
from bot.http.web.templates import templates
from bot.simulation.page.panels.turn import Turn
from bot.simulation.page.story import StoryTeller
from bot.simulation.page.view import Views
from bot.simulation.page.words import FILTERS
from bot.simulation.served.served_world import ServedWorld
from services.domain.token import draw_token
from services.ports import Random

FOLDER = Path(__file__).parent
LOG_MAX = 200  # lines
TURN_ROWS_KEPT = 200
PREFIX = "/page"
OPENS_WITH = "wanjiru"  # the person whose phone is shown


class PageState:
    """``token`` must come with every POST: other sites' pages do not know it."""

    def __init__(self, served: ServedWorld, random: Random) -> None:
        self.served = served
        self.token = draw_token(random)
        self.views = Views(random)
        self.story = StoryTeller(served, self.views)
        self.ignored: set[str] = set()  # prompts that their phones show no longer
        self.held: frozenset[str] = frozenset()  # prompts whose payment is never told of
        self.log: deque[str] = deque(maxlen=LOG_MAX)
        self.log_count = 0
        self.assets = Assets(
            f"{PREFIX}/assets",
            [
                VENDOR / "htmx.min.js",
                VENDOR / "sse.min.js",
                OWN / "base.css",
                *sorted((FOLDER / "assets").iterdir()),
            ],
        )
        self.templates = templates(FOLDER / "templates")
        self.templates.filters.update(FILTERS)
        self.templates.globals.update(
            asset=self.assets.url,
            prefix=PREFIX,
            # All but the newest have been drawn before.
            turn_row=lru_cache(TURN_ROWS_KEPT)(self._turn_row),
        )
        served.watchers.add(self.views.wake)

    def _turn_row(self, turn: Turn) -> Markup:
        row = self.templates.get_template("parts/turn_row.html").render(turn=turn)
        return Markup(row)

    def add_log_line(self, line: str) -> None:
        self.log.append(line)
        self.log_count += 1

    def forget_world(self) -> None:
        """A fresh one has taken its place, as it opens."""
        for view in self.views.every():
            view.people = [OPENS_WITH]
        self.ignored.clear()
        self.held = frozenset()
