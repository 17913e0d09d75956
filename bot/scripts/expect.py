"""Expectations: one value type each, and how they are read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bot.scripts.given import NAME
from bot.scripts.pattern import Pattern
from bot.scripts.source_line import SourceLine
from services.domain.gsm7 import as_sms_text

_MESSAGE = re.compile(rf"bot(?:\[({NAME})\])?<(~?)(.*)")
_SHORT = re.compile(r"(alert|edit)<~(.*)")
_LETTER = re.compile(r"(sms|mail)\s+(\S+?)\s*<(~?)(.*)")
_PAGE = re.compile(r"page\s+(con|end)")
_NO_LETTER = re.compile(r"(sms|mail)\s+(\S+)\s+none")

Row = tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class ExpectMessage:
    """``to`` is ``None`` for the last speaker; each row must equal one row of the message."""

    at: SourceLine
    to: str | None
    pattern: Pattern
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class SkipMessages:
    at: SourceLine


@dataclass(frozen=True, slots=True)
class ExpectAlert:
    at: SourceLine
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class ExpectEdit:
    at: SourceLine
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class ExpectGone:
    at: SourceLine


@dataclass(frozen=True, slots=True)
class ExpectSms:
    """``pattern`` is ``None`` if nothing may be unread."""

    at: SourceLine
    phone: str
    pattern: Pattern | None


@dataclass(frozen=True, slots=True)
class ExpectMail:
    """``pattern`` is ``None`` if nothing may be unread."""

    at: SourceLine
    address: str
    pattern: Pattern | None


@dataclass(frozen=True, slots=True)
class ExpectPage:
    """What the newest page of USSD was, to anybody, read or not."""

    at: SourceLine
    page: Literal["con", "end"]


Expectation = (
    ExpectMessage
    | SkipMessages
    | ExpectAlert
    | ExpectEdit
    | ExpectGone
    | ExpectSms
    | ExpectMail
    | ExpectPage
)


def read_expectation(at: SourceLine, text: str, more: Sequence[str]) -> Expectation | None:
    """Read an expectation with the indented lines after it.

    Returns ``None`` if ``text`` is not one. Raises ``ScriptError``.
    """
    if found := _MESSAGE.fullmatch(text):
        return _message(at, found[1], [found[3].strip(), *more], contains=bool(found[2]))
    if found := _SHORT.fullmatch(text):
        pattern = _pattern(at, [found[2], *more], contains=True)
        return ExpectAlert(at, pattern) if found[1] == "alert" else ExpectEdit(at, pattern)
    if found := _PAGE.fullmatch(text):
        return ExpectPage(at, "con" if found[1] == "con" else "end")
    if found := _LETTER.fullmatch(text):
        lines = [found[4], *more]
        # In the carrier's character set: a script may write 4…187 as the chat does
        if found[1] == "sms":
            lines = [as_sms_text(line) for line in lines]
        pattern = _pattern(at, lines, contains=bool(found[3]))
        return _letter(at, found[1], found[2], pattern)
    if more:
        return None
    if found := _NO_LETTER.fullmatch(text):
        return _letter(at, found[1], found[2], None)
    if text == "bot*":
        return SkipMessages(at)
    if text == "gone":
        return ExpectGone(at)
    return None


def _message(at: SourceLine, to: str | None, lines: list[str], *, contains: bool) -> ExpectMessage:
    rows: list[Row] = []
    words = [lines[0]]
    for line in lines[1:]:
        labels = _labels(line)
        if labels is None:
            words.append(line)
        else:
            rows.append(tuple(_pattern(at, [label], contains=False) for label in labels))
    if contains and rows and not any(words):
        return ExpectMessage(at, to, Pattern.read("", contains=True), tuple(rows))
    return ExpectMessage(at, to, _pattern(at, words, contains=contains), tuple(rows))


def _letter(at: SourceLine, kind: str, to: str, pattern: Pattern | None) -> Expectation:
    if kind == "mail":
        return ExpectMail(at, to, pattern)
    if not re.fullmatch(r"[0-9]+", to):
        raise at.error(f"a phone is written in digits, not {to!r}")
    return ExpectSms(at, to, pattern)


def _pattern(at: SourceLine, lines: Sequence[str], *, contains: bool) -> Pattern:
    if not any(line.strip() for line in lines):
        raise at.error("nothing is expected")
    try:
        return Pattern.read("\n".join(lines), contains=contains)
    except ValueError as error:
        raise at.error(str(error)) from None


def _labels(line: str) -> list[str] | None:
    """The labels of ``[a] [b]``; ``None`` if the line holds anything else.

    A bracket inside braces belongs to a capture's regex.
    """
    labels: list[str] = []
    rest = line.strip()
    while rest:
        if not rest.startswith("["):
            return None
        end = _closing_bracket(rest)
        if end is None:
            return None
        labels.append(rest[1:end])
        rest = rest[end + 1 :].lstrip()
    return labels or None


def _closing_bracket(text: str) -> int | None:
    braces = 0
    for at, sign in enumerate(text):
        braces += {"{": 1, "}": -1}.get(sign, 0)
        if sign == "]" and braces <= 0:
            return at
    return None
