"""What people say: one value type per kind of input, and how it is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.scripts.given import NAME
from bot.scripts.pattern import variables
from bot.scripts.source_line import SourceLine

_SPOKEN = re.compile(rf"({NAME})>(.*)")
_TAP = re.compile(r"\[([^\[\]]+)\](?:\s+on\s+screen\b(.*))?")
_SCREEN = re.compile(r"-[1-9][0-9]{0,5}")
_CONTACT = re.compile(rf"<contact(?:\s+of\s+({NAME}|\{{{NAME}\}}))?>")
_EDIT = re.compile(r"<edit>\s*(.*)")
_FILE = re.compile(
    r"<file\s+(?P<file>[^\s<>]+)(?:\s+rows\s+(?P<rows>[1-9][0-9]{0,3}))?"
    r"(?:\s+as\s+(?P<form>bom|semicolon|tab))?>"
)
_DIAL = re.compile(r"<dial\s+([^<>]+)>")


@dataclass(frozen=True, slots=True)
class Say:
    at: SourceLine
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Tap:
    """``screen`` counts back from -1, the newest. Variables are not filled in yet."""

    at: SourceLine
    name: str
    option: str
    screen: str = "-1"


@dataclass(frozen=True, slots=True)
class ShareContact:
    """``of`` is ``None`` for the person's own contact."""

    at: SourceLine
    name: str
    of: str | None


@dataclass(frozen=True, slots=True)
class SendOther:
    """``what`` is ``sticker`` or ``photo``."""

    at: SourceLine
    name: str
    what: str


@dataclass(frozen=True, slots=True)
class SendFile:
    """``lines`` are those of a CSV file, or it has so many good ``rows``; ``form`` is how the file
    is written, if not plainly."""

    at: SourceLine
    name: str
    file: str
    lines: tuple[str, ...]
    rows: int = 0
    form: str | None = None


@dataclass(frozen=True, slots=True)
class EditLast:
    """Edit the last message the person sent."""

    at: SourceLine
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Dial:
    at: SourceLine
    name: str
    code: str


Speech = Say | Tap | ShareContact | SendOther | SendFile | EditLast | Dial


@dataclass(frozen=True, slots=True)
class Race:
    """``copies`` of an input at the same moment, with different event ids."""

    at: SourceLine
    copies: int
    speech: Speech


def read_speech(at: SourceLine, text: str, more: Sequence[str] = ()) -> Speech | None:
    """Read ``NAME> …``; ``None`` for any other line. ``more`` are the lines that go on below it, of
    a file. Raises ``ScriptError``."""
    spoken = _SPOKEN.fullmatch(text)
    if spoken is None:
        return None
    name, typed = spoken[1], spoken[2].strip()
    if not typed:
        raise at.error(f"{name} says nothing")
    if tap := _TAP.fullmatch(typed):
        screen = "-1" if tap[2] is None else tap[2].strip()
        if not variables(screen):
            screen_number(at, screen)
        return Tap(at, name, tap[1].strip(), screen)
    if contact := _CONTACT.fullmatch(typed):
        return ShareContact(at, name, contact[1])
    if typed in ("<sticker>", "<photo>"):
        return SendOther(at, name, typed[1:-1])
    if edit := _EDIT.fullmatch(typed):
        if not edit[1]:
            raise at.error("<edit> needs the new text")
        return EditLast(at, name, edit[1])
    if file := _FILE.fullmatch(typed):
        rows = int(file["rows"] or 0)
        if bool(rows) == bool(more):
            raise at.error("<file NAME> goes on in indented lines, or says how many rows it has")
        return SendFile(at, name, file["file"], tuple(more), rows, file["form"])
    if dial := _DIAL.fullmatch(typed):
        return Dial(at, name, dial[1].strip())
    return Say(at, name, typed)


def is_file(text: str) -> bool:
    spoken = _SPOKEN.fullmatch(text)
    return spoken is not None and _FILE.fullmatch(spoken[2].strip()) is not None


def screen_number(at: SourceLine, written: str) -> int:
    """Raises ``ScriptError``."""
    if not _SCREEN.fullmatch(written):
        raise at.error(f"screens count back from -1; there is no screen {written!r}")
    return int(written)
