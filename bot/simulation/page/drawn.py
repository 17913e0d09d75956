"""What a tab has been sent, and what has changed since."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from bot.simulation.page.chat import Bubble, Chat
from bot.simulation.page.parts import Parts
from bot.simulation.page.state import PageState
from bot.simulation.page.view import View
from services.ports import Tx


@dataclass(slots=True)
class _ChatDrawn:
    """``entries`` of the record have been drawn."""

    world: int
    person: str
    entries: int


@dataclass(slots=True)
class Drawn:
    """``number`` counts what was sent. Nothing here is shared with another tab."""

    state: PageState
    view: View
    number: int = 0
    _keys: dict[str, Hashable] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)
    _chats: dict[int, _ChatDrawn] = field(default_factory=dict)

    async def whole(self) -> dict[str, Markup]:
        """The content of every part, chats included, by name."""
        async with self.state.served.at_rest():
            await self._draw_parts()
            contents = {name: Markup(text) for name, text in self._texts.items()}
            for n in range(1, len(self.view.people) + 1):
                contents[f"chat-{n}"] = Markup(self._whole_chat(n))
        return contents

    async def news(self) -> str:
        """Elements that replace what has changed; empty if nothing has."""
        async with self.state.served.at_rest():
            changed = await self._draw_parts()
            swaps = [_swap("innerHTML", name, self._texts[name]) for name in changed]
            for n in range(1, len(self.view.people) + 1):
                swaps += self._chat_news(n)
        self.number += bool(swaps)
        return "".join(swaps)

    async def _draw_parts(self) -> Sequence[str]:
        """The names of those whose text has changed."""
        parts = Parts(self.state, self.view).every()
        stale = [part for part in parts if self._keys.get(part.name, ...) != part.key]

        def look(tx: Tx) -> list[Any]:
            return [part.look(tx) for part in stale]

        found = await self.state.served.world.app.database.read(look) if stale else []
        changed = []
        for part, seen in zip(stale, found, strict=True):
            self._keys[part.name] = part.key
            text = part.draw(seen)
            if self._texts.get(part.name) != text:
                self._texts[part.name] = text
                changed.append(part.name)
        for name in self._keys.keys() - {part.name for part in parts}:
            del self._keys[name], self._texts[name]
        return changed

    def _chat_news(self, n: int) -> Sequence[str]:
        served = self.state.served
        drawn = self._chats.get(n)
        identity = (served.number, self.view.people[n - 1])
        if drawn is None or (drawn.world, drawn.person) != identity:
            return [_swap("innerHTML", f"chat-{n}", self._whole_chat(n))]
        start, drawn.entries = drawn.entries, len(served.record.entries)
        if start == drawn.entries:
            return []
        changes = self._chat(n).since(start)
        swaps = [self._bubbles(n, [bubble], replaces=True) for bubble in changes.changed]
        if changes.new:
            swaps.append(_swap("beforeend", f"chat-{n}", self._bubbles(n, changes.new)))
        if changes.alerts:
            alert = self.state.templates.get_template("parts/notice.html")
            swaps.append(_swap("innerHTML", "notice", alert.render(text=changes.alerts[-1])))
        return swaps

    def _whole_chat(self, n: int) -> str:
        served = self.state.served
        entries = len(served.record.entries)
        self._chats[n] = _ChatDrawn(served.number, self.view.people[n - 1], entries)
        return self._bubbles(n, self._chat(n).newest())

    def _chat(self, n: int) -> Chat:
        scene = self.state.served.scene
        return Chat(scene.world, scene.record, self.view.people[n - 1])

    def _bubbles(self, n: int, bubbles: Sequence[Bubble], *, replaces: bool = False) -> str:
        return self.state.templates.get_template("parts/bubbles.html").render(
            n=n,
            person=self.view.people[n - 1],
            world=self.state.served.number,
            bubbles=bubbles,
            replaces=replaces,
        )


def _swap(how: str, name: str, content: str) -> str:
    return f'<div hx-swap-oob="{how}:#{name}">{content}</div>'
