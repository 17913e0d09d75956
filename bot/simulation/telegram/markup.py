"""State of a text being parsed by its ``parse_mode``: what was read, and which marks are open."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.simulation.telegram.entities import Entity, is_link
from bot.simulation.telegram.errors import ApiError, ApiRefusal

_MENTION = re.compile(r"tg://user\?id=([0-9]{1,16})", re.IGNORECASE)


class MarkupError(Exception):
    """Says why, in Telegram's words."""

    @property
    def refusal(self) -> ApiError:
        return ApiError(ApiRefusal.CANT_PARSE, why=str(self))


@dataclass(slots=True)
class OpenMark:
    """An unclosed mark: where it began, in UTF-16 units, characters and bytes."""

    type: str
    detail: str
    offset: int
    begin: int
    byte: int


class MarkupState:
    """Error offsets are bytes of the input; entity offsets are UTF-16 units."""

    def __init__(self, given: str) -> None:
        self.given = given
        self.open: list[OpenMark] = []
        self.entities: list[Entity] = []
        self.offset = 0
        self._parts: list[str] = []
        self._length = 0

    def byte(self, at: int) -> int:
        return len(self.given[:at].encode("utf-8", "surrogatepass"))

    def starts(self, word: str, at: int) -> bool:
        return self.given.startswith(word, at)

    def add(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
        self.offset += sum(1 + (character > "\uffff") for character in text)

    def begin(self, type: str, detail: str, at: int) -> None:
        self.open.append(OpenMark(type, detail, self.offset, self._length, self.byte(at)))

    def since(self, mark: OpenMark) -> str:
        return self.text[mark.begin :]

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def mark(self, opened: OpenMark, type: str, detail: object = None) -> None:
        if self.offset > opened.offset:
            length = self.offset - opened.offset
            self.entities.append(Entity(type, opened.offset, length, detail or None))

    def mark_link(self, opened: OpenMark, address: str) -> None:
        """A link to a person is a mention; something that is not a link marks nothing."""
        if person := _MENTION.fullmatch(address):
            user = {"id": int(person[1]), "is_bot": False, "first_name": f"User {person[1]}"}
            self.mark(opened, "text_mention", user)
        elif is_link(address):
            whole = address if "://" in address else f"http://{address}"
            self.mark(opened, "text_link", whole + "/" * (whole.count("/") == 2))
