"""Chats as people see them. They survive every restart of the product."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.simulation.telegram.body import Upload
from bot.simulation.telegram.errors import ApiError, ApiRefusal
from bot.simulation.telegram.files import StoredFile
from bot.simulation.telegram.keyboards import (
    ForceReply,
    InlineKeyboard,
    Keyboard,
    ReplyKeyboard,
)
from bot.simulation.telegram.text import Text

Rows = list[list[tuple[str, str]]]  # (label, callback data or a link's URL)


@dataclass(slots=True)
class Message:
    """``sender`` is a person's id, or ``None`` for the bot.

    ``edits`` holds all earlier texts, oldest first. ``content`` holds anything that is neither text
    nor a file of the bot's.
    """

    message_id: int
    sender: int | None
    date: datetime
    written: Text
    stored: StoredFile | None = None
    content: dict[str, Any] = field(default_factory=dict)
    keyboard: Keyboard | None = None
    protect_content: bool = False
    link_preview: dict[str, Any] | None = None
    reply_to: Message | None = None
    quote: str = ""
    edited: datetime | None = None
    edits: list[str] = field(default_factory=list)
    deleted: bool = False

    @property
    def by_bot(self) -> bool:
        return self.sender is None

    @property
    def text(self) -> str:
        """The text of the message, or its file's caption."""
        return self.written.words

    @property
    def copied(self) -> list[str]:
        """Texts that one tap copies."""
        return self.written.copied

    @property
    def file(self) -> Upload | None:
        return self.stored.upload if self.stored else None

    @property
    def buttons(self) -> Rows:
        if not isinstance(self.keyboard, InlineKeyboard):
            return []
        return [[(button.text, button.data) for button in row] for row in self.keyboard.rows]

    @property
    def reply_keyboard(self) -> list[list[str]]:
        if not isinstance(self.keyboard, ReplyKeyboard):
            return []
        return [[text for text, _ in row] for row in self.keyboard.rows]

    @property
    def asks_reply(self) -> bool:
        return isinstance(self.keyboard, ForceReply)

    def data_of(self, label: str) -> str:
        """The data of the button with this label. Raises ``KeyError`` without one."""
        return {known: data for row in self.buttons for known, data in row}[label]

    def rewrite(self, written: Text, at: datetime) -> None:
        self.edits.append(self.text)
        self.written, self.edited = written, at


@dataclass(slots=True)
class Chat:
    """``is_open``: the person has written here; a bot may not write before that. ``is_known``: the
    bot has met the person elsewhere, in a group.
    """

    chat_id: int
    type: str = "private"
    is_open: bool = False
    is_known: bool = False
    blocked: bool = False
    messages: list[Message] = field(default_factory=list)

    @property
    def from_bot(self) -> list[Message]:
        """The bot's messages that it did not delete, oldest first."""
        return [m for m in self.messages if m.by_bot and not m.deleted]

    def find(self, message_id: int) -> Message | None:
        """A message that was not deleted."""
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
        """The chat; not open yet if nobody has written in it."""
        if chat_id not in self._chats:
            self._chats[chat_id] = Chat(chat_id, type)
        return self._chats[chat_id]

    def known(self, chat_id: str) -> Chat:
        """The chat a call names, if the bot knows it. Raises ``ApiError``."""
        name = chat_id.strip()
        if not name:
            raise ApiError(ApiRefusal.CHAT_EMPTY)
        number = name.removeprefix("-")
        chat = None
        if number.isascii() and number.isdecimal() and len(number) < 20:
            chat = self._chats.get(int(name))
        if chat is None or not (chat.is_open or chat.is_known):
            raise ApiError(ApiRefusal.CHAT_UNKNOWN)
        return chat

    def reachable(self, chat_id: str) -> Chat:
        """The chat a call names, if the bot may write to it. Raises ``ApiError``."""
        chat = self.known(chat_id)
        if not chat.is_open:
            raise ApiError(ApiRefusal.NEVER_WROTE)
        if chat.blocked:
            raise ApiError(ApiRefusal.BLOCKED)
        return chat

    def next_message_id(self) -> int:
        self._last_message_id += 1
        return self._last_message_id
