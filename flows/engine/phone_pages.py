"""A screen as pages for the menu of a phone: what each page shows, and what its keys mean.

A page with the prefix of its gateway has 160 septets of GSM-7 at most (facts: USSD 2). A longer one
is cut up by the gateway, whose own keys are then the same as ours, and never reach us.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

from pydantic_core import from_json, to_json

from flows.engine.event import Screen
from flows.engine.nodes import Ask, Code, Confirm, Node
from services.domain import gsm7
from services.domain.ussd import PAGE_SEPTETS

PREFIX = 4  # "CON " or "END ": whether a network counts it is not known
TEXT_MAX = 152  # septets of text and options, without the line of ways
LABEL_MAX = 60  # septets of one option
BACK, HOME, MORE = "0", "00", "98"  # the keys that are the same everywhere
_WAYS = {"back": BACK, "newer": BACK, "menu": HOME, "more": MORE}  # by the engine's options


class Ways(NamedTuple):
    """How the keys that are the same everywhere are called."""

    back: str
    home: str
    more: str


@dataclass(frozen=True, slots=True)
class PhoneScreen:
    """``page`` is the one that is shown, ``keys`` are options by what is typed for them, on
    whichever page. ``turn`` is the turn of its options.

    Where it ``asks``, whatever else is typed is the answer. What it ``decides`` nobody may answer
    without having seen it. One that ``ends`` ends the session with its last page.
    """

    pages: tuple[str, ...]
    keys: dict[str, str]
    turn: int
    asks: bool = False
    decides: bool = False
    ends: bool = False
    page: int = 0

    @property
    def goes_on(self) -> bool:
        return not self.ends or self.page < len(self.pages) - 1

    @property
    def text(self) -> str:
        return self.pages[self.page]

    def turned(self, by: int) -> PhoneScreen:
        """The page before or behind. Raises ``IndexError`` where there is none."""
        to = self.page + by
        if not 0 <= to < len(self.pages):
            raise IndexError(to)
        return replace(self, page=to)

    def dump(self) -> str:
        return to_json([getattr(self, name) for name in self.__slots__]).decode()

    @classmethod
    def load(cls, stored: str) -> Self:
        pages, *rest = from_json(stored)
        return cls(tuple(pages), *rest)


def phone_screen(
    screen: Screen, turn: int, node: Node | None, ways: Ways, budget: int = PAGE_SEPTETS
) -> PhoneScreen:
    """The pages of a screen at ``node``, which is ``None`` at the menu; ``budget``: septets of a
    page, prefix included."""
    buttons = [button for row in screen.rows for button in row]
    there = {_WAYS[button.id]: button.id for button in buttons if button.id in _WAYS}
    keys, lines = dict[str, str](there), []
    numbered = [button for button in buttons if button.id not in _WAYS]
    for place, button in enumerate(numbered, start=1):
        number = screen.numbered.get(button.id, place)
        keys[str(number)] = button.id
        lines.append(f"{number} {gsm7.cut(gsm7.plain(button.label), LABEL_MAX)}")
    for option, number in screen.numbered.items():
        keys.setdefault(str(number), option)  # people dial what they have learned
    pages = _pages(screen.text, lines, frozenset(there), ways, budget - PREFIX)
    decides = isinstance(node, Confirm | Code) or any(button.id == "yes" for button in buttons)
    return PhoneScreen(
        pages, keys, turn, asks=isinstance(node, Ask | Code), decides=decides, ends=False
    )


def ending(text: str, ways: Ways, budget: int = PAGE_SEPTETS) -> PhoneScreen:
    """A text after which the session ends."""
    return PhoneScreen(_pages(text, (), frozenset(), ways, budget - PREFIX), {}, 0, ends=True)


def _pages(
    text: str, options: Sequence[str], there: frozenset[str], ways: Ways, most: int
) -> tuple[str, ...]:
    """As few pages as it takes: options stay whole, and words where they can."""
    text = gsm7.plain(text).rstrip()
    whole = "\n".join([text, *options])
    footer = _footer(there, ways)
    if gsm7.width(whole) <= TEXT_MAX and gsm7.width(_joined(whole, footer)) <= most:
        return (_joined(whole, footer),)
    # Every page of several has the same room: each but the first leads back, each but the last on.
    footers = (
        _footer(there | {MORE}, ways),
        _footer(there | {BACK, MORE}, ways),
        _footer(there | {BACK}, ways),
    )
    room = min(TEXT_MAX, most - max(gsm7.width(footer) for footer in footers) - 1)
    pages = [""]
    for piece in (*_pieces(text, room), *options):
        longer = f"{pages[-1]}\n{piece}" if pages[-1] else piece
        if gsm7.width(longer) > room:
            pages.append(piece)
        else:
            pages[-1] = longer
    first, middle, last = footers
    end = len(pages) - 1
    return tuple(
        _joined(page, first if n == 0 else last if n == end else middle)
        for n, page in enumerate(pages)
    )


def _pieces(text: str, room: int) -> Iterator[str]:
    """The text line by line; a line that is too long is cut behind a word."""
    for line in text.split("\n"):
        rest = line
        while gsm7.width(rest) > room:
            most = min(room, len(rest))  # a character takes one septet at least
            end = next(n for n in range(most, 0, -1) if gsm7.width(rest[:n]) <= room)
            end = rest.rfind(" ", 1, end) + 1 or end
            yield rest[:end].rstrip()
            rest = rest[end:]
        yield rest


def _footer(there: frozenset[str] | set[str], ways: Ways) -> str:
    named = ((BACK, ways.back), (HOME, ways.home), (MORE, ways.more))
    return " ".join(f"{key} {name}" for key, name in named if key in there)


def _joined(text: str, footer: str) -> str:
    return f"{text}\n{footer}" if footer else text
