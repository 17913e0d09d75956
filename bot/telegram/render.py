"""A message as Telegram shows it: plain text and buttons that name the turn they belong to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    MessageEntity,
    ReplyKeyboardMarkup,
)

from bot.channel import COPY, COPY_END, Content, plain
from flows.draw import CONTACT
from flows.event import Button, Rows

TEXT_LIMIT = 4096  # characters (facts: channels, Telegram)
DATA_LIMIT = 64  # bytes of callback_data (facts: channels, Telegram)
LABEL_LIMIT = 64  # characters; our own limit: a phone shows no more


_MARKED = re.compile(f"{COPY}([^{COPY}{COPY_END}]+){COPY_END}")
Keyboard: TypeAlias = InlineKeyboardMarkup | ReplyKeyboardMarkup


def render(content: Content) -> tuple[str, Sequence[MessageEntity], Keyboard | None]:
    """The text, cut to what Telegram takes, what of it is copied by a tap, and the keyboard,
    ``None`` without buttons.

    There is no ``parse_mode``: what people typed is shown as it is and can mark up nothing.
    """
    text, entities = _marked(cut(content.text, TEXT_LIMIT))
    return text, entities, _keyboard(content.rows, content.turn)


def _marked(text: str) -> tuple[str, Sequence[MessageEntity]]:
    """Telegram counts in UTF-16 units."""
    words, entities = "", []
    for n, part in enumerate(_MARKED.split(text)):
        if n % 2:
            at, length = _units(words), _units(part)
            entities.append(MessageEntity(MessageEntity.CODE, at, length))
        words += part
    return plain(words), entities


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _keyboard(rows: Rows, turn: int) -> Keyboard | None:
    if not rows:
        return None
    if rows[0][0].id == CONTACT:  # the one button that is no tap: it shares the own contact
        share = KeyboardButton(rows[0][0].label, request_contact=True)
        return ReplyKeyboardMarkup([[share]], resize_keyboard=True, one_time_keyboard=True)
    return InlineKeyboardMarkup([[_button(button, turn) for button in row] for row in rows])


def _button(button: Button, turn: int) -> InlineKeyboardButton:
    data = f"{turn}:{button.id}"
    assert len(data.encode()) <= DATA_LIMIT, f"callback data too long: {data}"
    return InlineKeyboardButton(cut(button.label, LABEL_LIMIT), callback_data=data)
