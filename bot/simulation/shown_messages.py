"""What people in a script are shown, in the order of delivery."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from bot.scripts.stage import Option, Shown
from bot.simulation.stage_people import StagePeople
from bot.simulation.world import World
from flows.engine.next_steps import split_option
from services.domain.outbox import OutboxRow


class ShownMessages:
    """``on_shown`` is called for each of them."""

    def __init__(self, people: StagePeople, on_shown: Callable[[Shown], None]) -> None:
        self.messages: list[Shown] = []
        self._people = people
        self._on_shown = on_shown
        self._places: dict[int, int] = {}

    def delivered(self, world: World, row: OutboxRow, message_id: str, edited: bool) -> None:
        if row.address not in self._people.names:
            return
        if self._places.setdefault(row.id, len(self.messages)) < len(self.messages):
            return  # delivered again after a crash between sending and recording it
        kind: Literal["answer", "edit", "notice"] = "edit" if edited else "notice"
        if row.event_id is not None:
            kind = "answer"
        text, rows = _seen(world, row, message_id)
        self.add(Shown(self._people.names[row.address], kind, message_id, text, rows))

    def alerted(self, address: str, text: str) -> None:
        self.add(Shown(self._people.names[address], "alert", "", text))

    def add(self, shown: Shown) -> None:
        self.messages.append(shown)
        self._on_shown(shown)


def _seen(
    world: World, row: OutboxRow, message_id: str
) -> tuple[str, tuple[tuple[Option, ...], ...]]:
    """What the channel shows, which may be less than the outbox row holds."""
    if world.telegram is not None:
        message = world.telegram.chat(int(row.address)).find(int(message_id))
        assert message is not None
        return message.text, tuple(
            tuple(_option(data, label) for label, data in line) for line in message.buttons
        )
    content = world.terminal.messages[message_id].content
    return content.text, tuple(
        tuple(_option(f"{content.turn}:{option}", label) for option, label in line)
        for line in content.rows
    )


def _option(data: str, label: str) -> Option:
    """``data`` is what a tap sends: the turn, the option, and what that is about, if anything."""
    _, _, option = data.partition(":")
    return Option(split_option(option)[0], label, data)
