"""What people say: one value type per kind of input, and how it is read."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.scripts.given import NAME
from bot.scripts.pattern import variables
from bot.scripts.source_line import SourceLine

_SPOKEN = re.compile(rf"({NAME})>(.*)")
_TAP = re.compile(r"\[([^\[\]]+)\](?:\s+on\s+screen\b(.*))?")
_SCREEN = re.compile(r"-[1-9][0-9]{0,5}")
_CONTACT = re.compile(rf"<contact(?:\s+of\s+({NAME}|\{{{NAME}\}}))?>")
_EDIT = re.compile(r"<edit>\s*(.*)")
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


Speech = Say | Tap | ShareContact | SendOther | EditLast | Dial


@dataclass(frozen=True, slots=True)
class Race:
    """``copies`` of an input at the same moment, with different event ids."""

    at: SourceLine
    copies: int
    speech: Speech


def read_speech(at: SourceLine, text: str) -> Speech | None:
    """Read ``NAME> …``; ``None`` for any other line. Raises ``ScriptError``."""
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
    if dial := _DIAL.fullmatch(typed):
        return Dial(at, name, dial[1].strip())
    return Say(at, name, typed)


def screen_number(at: SourceLine, written: str) -> int:
    """Raises ``ScriptError``."""
    if not _SCREEN.fullmatch(written):
        raise at.error(f"screens count back from -1; there is no screen {written!r}")
    return int(written)
