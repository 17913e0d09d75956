"""Renders a message for Telegram: plain text, and buttons that name the turn they belong to.

It builds the JSON directly: PTB's typed objects for buttons and answers cost more time than all
the rest of a turn.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from pydantic_core import to_json

from bot.outbox.channel import COPY, COPY_END, MessageContent, without_copy_marks
from flows.engine.event import Button, Rows
from flows.engine.screen_renderer import CONTACT

TEXT_LIMIT = 4096  # characters (facts: channels, Telegram)
DATA_LIMIT = 64  # bytes of callback_data (facts: channels, Telegram)
LABEL_LIMIT = 64  # characters; our own limit: a phone shows no more
TURN_DIGITS = 15
KEPT = 1_024  # cached keyboards; most are the same for everybody

_NO_PREVIEW = '{"is_disabled":true}'
_MARKED = re.compile(f"{COPY}([^{COPY}{COPY_END}]+){COPY_END}")
_TURN = "\x00"  # placeholder for the turn in a cached keyboard; cannot occur in JSON


def render(content: MessageContent) -> dict[str, str]:
    """Call parameters: ``text``, truncated to Telegram's limit, ``entities`` for the parts that a
    tap copies, and ``reply_markup``.

    There is no ``parse_mode``, so text that people typed is shown literally. Links have no preview:
    it would fetch what may be spent by fetching, and show nothing of ours.
    """
    text = truncate(content.text, TEXT_LIMIT)
    rendered = {"text": text}
    if COPY in text or COPY_END in text:
        rendered["text"], entities = _marked(text)
        if entities:
            rendered["entities"] = _json(entities)
    if "://" in text:
        rendered["link_preview_options"] = _NO_PREVIEW
    return rendered | reply_markup(content)


def reply_markup(content: MessageContent) -> dict[str, str]:
    """The call parameter for a message's buttons, if it has any."""
    if not content.rows:
        return {}
    return {"reply_markup": str(content.turn).join(_keyboard(content.rows))}


def is_inline(rows: Rows) -> bool:
    """Whether the buttons are shown under the message; a contact-sharing button is not."""
    return rows[0][0].id != CONTACT


def _marked(text: str) -> tuple[str, list[dict[str, Any]]]:
    """The text without copy marks, and its entities, which Telegram counts in UTF-16 units."""
    words, entities = "", []
    for n, part in enumerate(_MARKED.split(text)):
        if n % 2:
            entities.append({"type": "code", "offset": _units(words), "length": _units(part)})
        words += part
    return without_copy_marks(words), entities


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def truncate(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


@lru_cache(maxsize=KEPT)
def _keyboard(rows: Rows) -> list[str]:
    """The keyboard's JSON, split where the turn belongs."""
    if not is_inline(rows):
        share = {"text": rows[0][0].label, "request_contact": True}
        return [_json({"keyboard": [[share]], "resize_keyboard": True, "one_time_keyboard": True})]
    inline = [[_button(button) for button in row] for row in rows]
    return _json({"inline_keyboard": inline}).split(_json(_TURN)[1:-1])


def _button(button: Button) -> dict[str, str]:
    size = TURN_DIGITS + len(f":{button.id}".encode())
    assert size <= DATA_LIMIT, f"callback data too long: {button.id}"
    label = truncate(button.label, LABEL_LIMIT).replace(_TURN, "")
    return {"text": label, "callback_data": f"{_TURN}:{button.id}"}


def _json(value: object) -> str:
    return to_json(value).decode()
