"""The terminal as a channel, for the simulator and the tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.outbox.channel import (
    Blocked,
    ChannelError,
    MessageContent,
    MessageGone,
    RetryAfter,
    Unclear,
    without_copy_marks,
)
from flows.engine.capabilities import ChannelCapabilities
from flows.engine.event import TEXT_LIMIT, Event, from_text

CHANNEL = "terminal"
CAPABILITIES = ChannelCapabilities(
    buttons=False,
    edits=True,
    deletes=True,  # as a chat, whose place it takes: a script then counts the same commits
    contacts=False,
    files=True,
    push=True,
    waiting=True,
    command_menu=False,
    carrier=False,
    page_length=None,
)


@dataclass(slots=True)
class Message:
    """One message on the screen; ``content`` is its latest version."""

    address: str
    id: str
    content: MessageContent


class TerminalChannel:
    """A ``bot.outbox.channel.Channel`` that remembers what it showed.

    ``fail_next`` simulates network failures. ``on_delete`` is told the address of whoever typed a
    line that a chat would delete.
    """

    name = CHANNEL
    capabilities = CAPABILITIES

    def __init__(self) -> None:
        self.messages: dict[str, Message] = {}
        self.documents: dict[str, tuple[str, bytes]] = {}  # by message: file name and content
        self.on_delete: Callable[[str], None] = lambda address: None
        self._failures: list[ChannelError] = []

    async def send(self, address: str, content: MessageContent) -> str:
        self._meet_failure()
        # The letter keeps an id from looking like a code when stored next to a number's bytes.
        message = Message(address, f"m{len(self.messages) + 1}", _shown(content))
        self.messages[message.id] = message
        return message.id

    async def send_document(
        self, address: str, name: str, content: bytes, caption: MessageContent
    ) -> str:
        message_id = await self.send(address, caption)
        self.documents[message_id] = (name, content)
        return message_id

    async def edit(self, address: str, message_id: str, content: MessageContent) -> None:
        self._meet_failure()
        message = self.messages.get(message_id)
        if message is None or message.address != address:
            raise MessageGone("no such message")
        message.content = _shown(content)

    async def answer_tap(self, tap_id: str, text: str | None) -> None:
        """Does nothing: the terminal gets a tap's answer with the turn's decision."""

    async def delete(self, address: str, message_id: str) -> None:
        """A line typed into a terminal stays: whoever shows it can only say so."""
        self.on_delete(address)

    def fail_next(self, fault: str, times: int = 1) -> None:
        """Make the next sends fail with ``403``, ``429:SECONDS`` or ``timeout``, as on Telegram;
        nothing is shown."""
        for _ in range(times):
            if fault == "403":
                self._failures.append(Blocked("shut"))
            elif fault.startswith("429:"):
                self._failures.append(RetryAfter(float(fault[4:])))
            elif fault == "timeout":
                self._failures.append(Unclear("no answer"))
            else:
                raise ValueError(f"no such send fault: {fault}")

    def clear_failures(self) -> None:
        self._failures.clear()

    def _meet_failure(self) -> None:
        if self._failures:
            raise self._failures.pop(0)


def _shown(content: MessageContent) -> MessageContent:
    text = without_copy_marks(content.text)
    return content if text == content.text else content._replace(text=text)


def event_from_line(address: str, event_id: str, text: str) -> Event:
    """An event for a typed line."""
    return from_text(CHANNEL, address, event_id, text[:TEXT_LIMIT], event_id)
