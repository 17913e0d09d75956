"""Formatted parts of a text, with offsets in UTF-16 units as Telegram counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.simulation.telegram.errors import ApiError, ApiRefusal

_OFFSET_MAX = 1_000_000
_BLANKS = " \n"  # other whitespace is replaced beforehand

# Entity types a bot may set, with the required field of each, if any.
_KINDS: dict[str, str | None] = {
    "bold": None,
    "italic": None,
    "underline": None,
    "strikethrough": None,
    "spoiler": None,
    "code": None,
    "pre": "language",
    "text_link": "url",
    "text_mention": "user",
    "custom_emoji": "custom_emoji_id",
    "blockquote": None,
    "expandable_blockquote": None,
}
_OPTIONAL = frozenset({"language"})
# Entity types only Telegram sets.
_FOUND_ONLY = frozenset(
    [
        "mention",
        "hashtag",
        "cashtag",
        "bot_command",
        "url",
        "email",
        "phone_number",
        "bank_card_number",
    ]
)
# Of those, commands and plain links, which are all that our texts contain.
_FINDABLE = re.compile(
    r"(?<![\w/])(?P<bot_command>/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?)(?![\w/])"
    r"|(?P<url>https?://[^\s<>\"]*[^\s<>\".,:;!?')\]}])",
    re.ASCII,
)
_LINK = re.compile(
    r"(?:https?://)?[^\s/?#.]+(?:\.[^\s/?#.]+)+(?:[/?#]\S*)?|(?:tg|ton)://\S+", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Entity:
    """``detail`` is a link's URL, a code block's language, a user, or an emoji's id."""

    type: str
    offset: int
    length: int
    detail: Any = None

    @property
    def end(self) -> int:
        return self.offset + self.length

    def shown(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"offset": self.offset, "length": self.length, "type": self.type}
        field = _KINDS.get(self.type)
        if field is not None and self.detail is not None:
            shown[field] = self.detail
        return shown


def is_link(address: str) -> bool:
    """Where a link may lead: a host with a dot in its name, or inside Telegram."""
    return _LINK.fullmatch(address) is not None


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def part(text: str, entity: Entity) -> str:
    """The formatted part of the text."""
    coded = text.encode("utf-16-le", "surrogatepass")
    return coded[entity.offset * 2 : entity.end * 2].decode("utf-16-le", "surrogatepass")


def read_entities(given: object) -> list[Entity]:
    """A call's ``entities``. Anything but a list counts as none, as at Telegram. Raises
    ``ApiError``.
    """
    if not isinstance(given, list):
        return []
    return [entity for item in given if (entity := _read(item)) is not None]


def _read(given: object) -> Entity | None:
    if not isinstance(given, dict):
        raise ApiError(ApiRefusal.WRONG_ENTITY, why="expected an Object")
    offset, length = _number(given, "offset"), _number(given, "length")
    kind = given.get("type")
    if not isinstance(kind, str) or not kind:
        raise ApiError(ApiRefusal.WRONG_ENTITY, why="Type is not specified")
    if kind in _FOUND_ONLY:
        return None
    if kind not in _KINDS:
        raise ApiError(ApiRefusal.WRONG_ENTITY, why="Unsupported type specified")
    field = _KINDS[kind]
    detail = given.get(field) if field else None
    if field and field not in _OPTIONAL and not detail:
        raise ApiError(ApiRefusal.WRONG_ENTITY, why=f'Can\'t find field "{field}"')
    if kind == "text_link" and not is_link(str(detail)):
        raise ApiError(ApiRefusal.ENTITY_URL_WRONG, url=detail)
    return Entity(kind, offset, length, detail or None)


def _number(given: dict[str, Any], field: str) -> int:
    try:
        return int(given[field])
    except KeyError:
        raise ApiError(ApiRefusal.WRONG_ENTITY, why=f'Can\'t find field "{field}"') from None
    except (TypeError, ValueError, OverflowError):
        why = f'Field "{field}" must be a valid Number'
        raise ApiError(ApiRefusal.WRONG_ENTITY, why=why) from None


def checked(text: str, entities: Sequence[Entity]) -> list[Entity]:
    """Sorted, and each on whole characters inside the text. Raises ``ApiError``."""
    if not entities:
        return []
    for entity in entities:
        if not 0 <= entity.offset <= _OFFSET_MAX:
            raise ApiError(ApiRefusal.ENTITY_OFFSET, offset=entity.offset)
        if not 0 <= entity.length <= _OFFSET_MAX:
            raise ApiError(ApiRefusal.ENTITY_LENGTH, length=entity.length)
    bytes_before: dict[int, int] = {}  # character boundaries by UTF-16 offset
    at = size = 0
    for character in text:
        bytes_before[at] = size
        at += 1 + (character > "\uffff")
        size += len(character.encode("utf-8", "surrogatepass"))
    bytes_before[at] = size
    ordered = sorted(entities, key=_order)
    for entity in ordered:
        if entity.offset > at or (entity.offset == at and entity.length):
            raise ApiError(ApiRefusal.ENTITY_BEGINS_BEHIND, offset=entity.offset)
        if entity.end > at:
            raise ApiError(ApiRefusal.ENTITY_ENDS_BEHIND, offset=entity.offset, end=entity.end)
        for verb, border in (("begins", entity.offset), ("ends", entity.end)):
            if border not in bytes_before:
                offset = bytes_before[border - 1]
                raise ApiError(ApiRefusal.ENTITY_SPLITS, verb=verb, offset=offset)
    return [entity for entity in ordered if entity.length]


def trimmed(text: str, entities: Sequence[Entity]) -> tuple[str, list[Entity]]:
    """Without surrounding whitespace; leading whitespace of the first entity is kept."""
    text = text.rstrip(_BLANKS)
    end = units(text)
    kept = [replace(e, length=min(e.end, end) - e.offset) for e in entities if e.offset < end]
    kept = [entity for entity in kept if part(text, entity).strip(_BLANKS)]
    most = min((entity.offset for entity in kept), default=len(text))
    lead = 0
    while lead < most and text[lead] in _BLANKS:
        lead += 1
    return text[lead:], [replace(entity, offset=entity.offset - lead) for entity in kept]


def with_found(text: str, entities: Sequence[Entity]) -> list[Entity]:
    """Adds the commands and links that Telegram detects by itself."""
    found = []
    for match in _FINDABLE.finditer(text):
        assert match.lastgroup is not None
        entity = Entity(match.lastgroup, units(text[: match.start()]), units(match[0]))
        if not any(e.offset < entity.end and entity.offset < e.end for e in entities):
            found.append(entity)
    return sorted([*entities, *found], key=_order)


def _order(entity: Entity) -> tuple[int, int, str]:
    return entity.offset, -entity.length, entity.type
