"""Layout of the simulator's chat: messages, numbered options, changes and quiet lines."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from flows.engine.event import Rows

ROW_WIDTH = 76  # options share a row up to this width
SHORT = 32  # a longer option gets its own line
ECHO_MAX = 200  # characters of the input that are echoed

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]|[\u202a-\u202e\u2066-\u2069]")


class Ink(StrEnum):
    """Styles that a terminal renders as colours."""

    PLAIN = ""
    SAID = "1"
    OPTIONS = "36"
    CHANGE = "33"
    ALERT = "1;33"
    QUIET = "2"


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    ink: Ink = Ink.PLAIN


BLANK = Line("")


@dataclass(frozen=True, slots=True)
class Content:
    """A message as displayed."""

    text: str
    rows: Rows = ()

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """(id, label) in reading order."""
        return tuple((button.id, button.label) for row in self.rows for button in row)


def quiet(text: str) -> Line:
    """A line about the world around the chat."""
    return Line(f"· {text}", Ink.QUIET)


def said(text: str) -> Line:
    if len(text) > ECHO_MAX:
        text = f"{text[:ECHO_MAX]}… ({len(text):,} characters)"
    return Line(f"> {text}", Ink.SAID)


def alert(text: str) -> Line:
    return Line(f"! {text}", Ink.ALERT)


def message(content: Content, *, numbered: bool, ids: bool = False) -> list[Line]:
    """The text, then its options with the number or word that picks each."""
    lines = [Line(line) for line in content.text.split("\n")]
    return lines + options(content.rows, numbered=numbered, ids=ids)


def options(rows: Rows, *, numbered: bool, ids: bool = False) -> list[Line]:
    """Short options share a row; ``ids`` adds what ``:tap`` takes."""
    number = 0
    lines: list[list[str]] = []
    for row in rows:
        shown = []
        for button in row:
            number += 1
            label = f"{number}) {button.label}" if numbered else f"[{button.label}]"
            shown.append(f"{label} <{button.id}>" if ids else label)
        together = [*lines[-1], *shown] if lines else shown
        short = all(len(label) <= SHORT for label in together)
        if lines and short and len("   ".join(together)) <= ROW_WIDTH:
            lines[-1] = together
        else:
            lines.append(shown)
    return [Line("  " + "   ".join(line), Ink.OPTIONS) for line in lines]


def changes(old: Content, new: Content, about: str) -> list[Line]:
    """Only those lines of an edit that are not on the screen yet."""
    seen = set(old.text.split("\n"))
    mark = f"~ {about}: " if about else "~ "
    lines = [
        Line(mark + line, Ink.CHANGE)
        for line in new.text.split("\n")
        if line.strip() and line not in seen
    ]
    if new.rows and new.options != old.options:
        lines += options(new.rows, numbered=True)
    return lines


def clean(text: str) -> str:
    """Escape whatever could move the cursor or reorder a line."""
    return _CONTROL.sub("�", text)


class TextRenderer:
    """Renders lines for a terminal of ``width`` columns (``None``: no wrapping), with or without
    colour.
    """

    def __init__(self, *, colour: bool = False, width: int | None = None) -> None:
        self.colour = colour
        self.width = width

    def render(self, lines: Iterable[Line]) -> str:
        return "".join(
            f"{self._ink(row, line.ink)}\n" for line in lines for row in self._wrap(line)
        )

    def _wrap(self, line: Line) -> Sequence[str]:
        text = clean(line.text)
        if self.width is None or len(text) <= self.width:
            return [text]
        indent = "  " if line.ink is not Ink.PLAIN else ""
        return textwrap.wrap(
            text, self.width, subsequent_indent=indent, break_on_hyphens=False
        ) or [""]

    def _ink(self, text: str, ink: Ink) -> str:
        return f"\x1b[{ink}m{text}\x1b[0m" if self.colour and ink and text else text
