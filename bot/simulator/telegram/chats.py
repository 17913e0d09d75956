"""The chats as people see them. They outlive every restart of the product."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from bot.simulator.telegram import errors
from bot.simulator.telegram.body import Upload

Rows = list[list[tuple[str, str]]]  # (label, callback data, or the address of a link)


@dataclass(slots=True)
class Message:
    """``text`` is the latest; ``edits`` holds every text before it, oldest first; ``copied`` is
    what of it one tap copies."""

    message_id: int
    by_bot: bool
    date: datetime
    text: str
    buttons: Rows = field(default_factory=list)
    reply_keyboard: list[list[str]] = field(default_factory=list)
    protect_content: bool = False
    file: Upload | str | None = None
    edits: list[str] = field(default_factory=list)
    deleted: bool = False
    copied: list[str] = field(default_factory=list)

    def data_of(self, label: str) -> str:
        """What the button with this label sends. ``KeyError`` when there is none."""
        return {known: data for row in self.buttons for known, data in row}[label]


@dataclass(slots=True)
class Chat:
    chat_id: int
    type: str = "private"
    is_open: bool = False  # the person wrote first; until then a bot may not
    blocked: bool = False
    messages: list[Message] = field(default_factory=list)

    @property
    def from_bot(self) -> list[Message]:
        """What the bot said and did not take back, oldest first."""
        return [m for m in self.messages if m.by_bot and not m.deleted]

    def find(self, message_id: int) -> Message | None:
        """A message that is still there."""
        for message in reversed(self.messages):
            if message.message_id == message_id:
                return None if message.deleted else message
        return None


class Chats:
    def __init__(self) -> None:
        self._chats: dict[int, Chat] = {}
        self._last_message_id = 0

    def __iter__(self) -> Iterator[Chat]:
        return iter(self._chats.values())

    def get(self, chat_id: int, type: str = "private") -> Chat:
        """The chat, as yet unopened when nobody wrote in it."""
        if chat_id not in self._chats:
            self._chats[chat_id] = Chat(chat_id, type)
        return self._chats[chat_id]

    def reachable(self, chat_id: int) -> Chat:
        """The chat, if the bot may write to it. Raises ``ApiError``."""
        chat = self._chats.get(chat_id)
        if chat is None or not chat.is_open:
            raise errors.never_wrote()
        if chat.blocked:
            raise errors.blocked()
        return chat

    def next_message_id(self) -> int:
        self._last_message_id += 1
        return self._last_message_id
