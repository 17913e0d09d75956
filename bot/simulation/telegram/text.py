"""Text as Telegram stores it: cleaned, parsed by its ``parse_mode``, trimmed, then measured.

Facts: channels, Telegram (what the Bot API server does).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bot.simulation.telegram.entities import (
    Entity,
    checked,
    part,
    read_entities,
    trimmed,
    with_found,
)
from bot.simulation.telegram.errors import ApiError, ApiRefusal
from bot.simulation.telegram.html import read_html
from bot.simulation.telegram.markdown import read_markdown, read_markdown_v2
from bot.simulation.telegram.markup import MarkupError

TEXT_LIMIT = 4096  # code points after trimming and parsing
CAPTION_LIMIT = 1024
_BYTES_MAX = 1 << 15  # of the input, marks included

_READ = {"html": read_html, "markdown": read_markdown, "markdownv2": read_markdown_v2}
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f]")
# Carriage returns, and characters that change direction, break a line, or draw through it.
_DROPPED = re.compile("[\r\u2028-\u202e\u030a\u0333\u033f]")


@dataclass(frozen=True, slots=True)
class Text:
    words: str = ""
    entities: list[Entity] = field(default_factory=list)

    @property
    def copied(self) -> list[str]:
        """Texts that one tap copies."""
        return [part(self.words, entity) for entity in self.entities if entity.type == "code"]


def read_text(given: str, parse_mode: str = "", entities: object = None) -> Text:
    """A message's text. Raises ``ApiError``."""
    if not given:
        raise ApiError(ApiRefusal.TEXT_EMPTY)
    text = _read(given, parse_mode, entities)
    if not text.words.strip():
        raise ApiError(ApiRefusal.TEXT_BLANK)
    if len(text.words) > TEXT_LIMIT:
        raise ApiError(ApiRefusal.TEXT_TOO_LONG)
    return text


def read_caption(given: str, parse_mode: str = "", entities: object = None) -> Text:
    """A file's caption, which may be empty. Raises ``ApiError``."""
    text = _read(given, parse_mode, entities)
    if len(text.words) > CAPTION_LIMIT:
        raise ApiError(ApiRefusal.CAPTION_TOO_LONG)
    return text


def typed(words: str) -> Text:
    """Text typed by a person: nothing is refused; commands and links become entities."""
    return Text(words, with_found(words, []))


def _read(given: str, parse_mode: str, entities: object) -> Text:
    if len(given.encode("utf-8", "surrogatepass")) > _BYTES_MAX:
        raise ApiError(ApiRefusal.BYTES_TOO_MANY)
    mode = parse_mode.lower()
    if given and mode and mode != "none":
        if mode not in _READ:
            raise ApiError(ApiRefusal.NO_SUCH_PARSE_MODE)
        try:
            words, marked = _READ[mode](given)
        except MarkupError as error:
            raise error.refusal from error
    else:
        words, marked = given, read_entities(entities)
    words, marked = _cleaned(words, checked(words, marked))
    words, marked = trimmed(words, marked)
    return Text(words, with_found(words, marked))


def _cleaned(words: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Every removed character is one UTF-16 unit, so entities after it move by as many."""
    gone = [sum(1 + (c > "\uffff") for c in words[: m.start()]) for m in _DROPPED.finditer(words)]
    if gone:
        words = _DROPPED.sub("", words)
        moved = []
        for entity in entities:
            offset = entity.offset - sum(at < entity.offset for at in gone)
            end = entity.end - sum(at < entity.end for at in gone)
            moved.append(Entity(entity.type, offset, end - offset, entity.detail))
        entities = [entity for entity in moved if entity.length]
    return _CONTROLS.sub(" ", words), entities
