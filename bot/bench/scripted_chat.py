"""People who see what a bot sends them and press the buttons it shows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence

from pydantic_core import from_json

from bot.bench.program import Person
from bot.bench.scripted_user import ROUND_INPUTS, is_typed, tap_update, text_update

Feed = Callable[[bytes], Awaitable[None]]  # feeds an update's bytes to whichever bot it is


class ScriptedChat:
    """Sends each input once the answer to the previous one reached the HTTP client."""

    def __init__(self, person: Person, feed: Feed, update_ids: Iterator[int]) -> None:
        self.chat = person.address
        self.answers = 0
        self._user = person.user_id
        self._feed = feed
        self._update_ids = update_ids
        self._buttons: dict[str, str] = {}  # callback data by option
        self._answered = asyncio.Event()

    def hear(self, parameters: dict[str, str]) -> None:
        self.answers += 1
        keyboard = from_json(parameters.get("reply_markup", "{}"))
        shown = [button for row in keyboard.get("inline_keyboard", ()) for button in row]
        self._buttons = {
            button["callback_data"].rpartition(":")[2]: button["callback_data"] for button in shown
        }
        self._answered.set()

    async def walk(self) -> None:
        """Repeat until cancelled."""
        while True:
            for what in ROUND_INPUTS:
                await self.perform(what)
                # A bot in memory never waits, so give others a chance to run
                await asyncio.sleep(0)

    async def perform(self, what: str) -> None:
        """Returns when the answer was sent."""
        self._answered.clear()
        await self._feed(self._raw(what))
        await self._answered.wait()

    def _raw(self, what: str) -> bytes:
        update_id = next(self._update_ids)
        if is_typed(what):
            return text_update(update_id, self._user, what)
        return tap_update(update_id, self._user, self._buttons[what])


def answers_of(phones: Sequence[ScriptedChat]) -> int:
    return sum(phone.answers for phone in phones)
