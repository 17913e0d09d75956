"""What the page keeps besides the world: templates, log, story, and what phones do not show."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from bot.http.web.assets import OWN, VENDOR, Assets
from bot.http.web.templates import templates
from bot.simulation.page.story import StoryTeller
from bot.simulation.page.view import Views
from bot.simulation.page.words import FILTERS
from bot.simulation.served.opening import PARTNERS
from bot.simulation.served.served_world import ServedWorld
from services.domain.token import draw_token
from services.ports import Random, Tx

FOLDER = Path(__file__).parent
LOG_MAX = 200  # lines
PREFIX = "/page"


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
        self.templates.globals.update(asset=self.assets.url, prefix=PREFIX)
        self._languages: tuple[object, dict[str, str]] = (None, {})
        served.watchers.add(self.views.wake)

    def add_log_line(self, line: str) -> None:
        self.log.append(line)
        self.log_count += 1

    async def languages(self) -> dict[str, str]:
        """Each person's language, by name."""
        served = self.served
        key = (served.number, len(served.record.entries))
        if self._languages[0] != key:

            def look(tx: Tx) -> dict[str, str]:
                everybody = [person for code in PARTNERS for person in tx.people.of(code)]
                return {person.name: person.language for person in everybody}

            self._languages = (key, await served.world.app.database.read(look))
        return self._languages[1]

    def forget_world(self) -> None:
        """A fresh one has taken its place."""
        self.ignored.clear()
        self.held = frozenset()
