"""How the simulator's chat looks: messages, numbered options, changes and quiet lines."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from flows.engine.event import Rows

ROW_WIDTH = 76  # options stand side by side up to here
SHORT = 32  # a longer option has a line of its own
ECHO_MAX = 200  # characters of what was said that are shown again

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]|[\u202a-\u202e\u2066-\u2069]")


class Ink(StrEnum):
    """The codes that a terminal colours by."""

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
    """A message as it stands on the screen."""

    text: str
    rows: Rows = ()

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """(id, label) in reading order."""
        return tuple((button.id, button.label) for row in self.rows for button in row)


def quiet(text: str) -> Line:
    """A word of the world around the chat."""
    return Line(f"· {text}", Ink.QUIET)


def said(text: str) -> Line:
    if len(text) > ECHO_MAX:
        text = f"{text[:ECHO_MAX]}… ({len(text):,} characters)"
    return Line(f"> {text}", Ink.SAID)


def alert(text: str) -> Line:
    return Line(f"! {text}", Ink.ALERT)


def message(content: Content, *, numbered: bool, ids: bool = False) -> list[Line]:
    """The text, then the options: by the number that picks each, or else by the word to type."""
    lines = [Line(line) for line in content.text.split("\n")]
    return lines + options(content.rows, numbered=numbered, ids=ids)


def options(rows: Rows, *, numbered: bool, ids: bool = False) -> list[Line]:
    """Rows of short options share a line; ``ids`` shows what ``:tap`` wants."""
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
    """What an edit made by itself says that the screen does not show yet, and nothing else."""
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
    """Fit to be shown: whatever could move the cursor or reorder a line is made visible."""
    return _CONTROL.sub("�", text)


class TextRenderer:
    """Lines as a terminal of ``width`` takes them (``None``: not wrapped), coloured or not."""

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
