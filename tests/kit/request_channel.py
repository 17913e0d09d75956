"""A channel that only answers: one request in, one short text out, as on USSD.

The whole channel is this file: what it can do, and an adapter that numbers the options, cuts long
answers into pages, and shows the stored answer to a request that comes again.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.app import App
from bot.outbox.carriers import buttons_from_json
from bot.outbox.channel import without_copy_marks
from bot.turns.turn import Decided
from flows.engine.capabilities import ChannelCapabilities
from flows.engine.event import from_text

NAME = "requests"
PAGE_LENGTH = 160
CAPABILITIES = ChannelCapabilities(
    buttons=False,
    edits=False,
    deletes=False,
    contacts=False,
    files=False,
    push=False,
    waiting=False,
    command_menu=False,
    carrier=False,
    page_length=PAGE_LENGTH,
)
MORE = "98"  # what is typed for the next page
MORE_LINE = f"\n{MORE} More"


class RequestChannel:
    """``app`` is asked for every request, so that the program may be restarted between two."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app
        self._unread: dict[str, list[str]] = {}  # by address: further pages of the last answer

    async def ask(self, address: str, request_id: str, text: str) -> str:
        """The answer to one request, the same if it comes again; empty if there is none."""
        if text == MORE and self._unread.get(address):
            return self._next_page(address)
        event = from_text(NAME, address, request_id, text, request_id)
        decided = await self._app().handle(event)
        self._unread[address] = pages(shown(decided), CAPABILITIES.page_length)
        return self._next_page(address)

    def _next_page(self, address: str) -> str:
        unread = self._unread[address]
        page = unread.pop(0)
        return page + MORE_LINE if unread else page


def shown(decided: Decided) -> str:
    """The answer's text and its numbered options."""
    answer = decided.answer
    if answer is None:
        return ""
    options = [button for row in buttons_from_json(answer.rows) for button in row]
    lines = [f"{number}. {option.label}" for number, option in enumerate(options, start=1)]
    return "\n".join([without_copy_marks(answer.text), *lines])


def pages(text: str, length: int | None) -> list[str]:
    """The text in pages of ``length`` characters at most, cut behind a blank if there is one, each
    but the last with room for the line that offers the next."""
    if length is None or len(text) <= length:
        return [text]
    room = length - len(MORE_LINE)
    end = max(text.rfind("\n", 0, room), text.rfind(" ", 0, room)) + 1 or room
    return [text[:end], *pages(text[end:], length)]
