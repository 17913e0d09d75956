"""What the API answered, and the ``api …`` lines that read it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bot.scripts.pattern import Pattern
from bot.scripts.source_line import SourceLine

_STATUS = re.compile(r"api\s+([1-5][0-9]{2})")
_BODY = re.compile(r"api\s*<~(.*)")
_HEADER = re.compile(r"api\s+header\s+([A-Za-z0-9-]+)\s+(\S.*)")
_MEMBER = re.compile(r"api\s+([\w-]+(?:\.[\w-]+)*)\s+(\S.*)")
USAGE = "api is written: api STATUS, api<~ text, api header NAME VALUE, or api a.b VALUE"


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """``headers`` by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: str

    def __str__(self) -> str:
        return f"{self.status} {self.body}".rstrip()


@dataclass(frozen=True, slots=True)
class ExpectStatus:
    at: SourceLine
    status: int


@dataclass(frozen=True, slots=True)
class ExpectBody:
    at: SourceLine
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class ExpectHeader:
    at: SourceLine
    name: str
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class ExpectMember:
    """``path`` leads through names of members and places in lists."""

    at: SourceLine
    path: tuple[str, ...]
    pattern: Pattern


ApiExpectation = ExpectStatus | ExpectBody | ExpectHeader | ExpectMember


def read_api_expectation(
    at: SourceLine, text: str, more: Sequence[str] = ()
) -> ApiExpectation | None:
    """``None`` if the line does not begin with ``api``. Raises ``ScriptError``."""
    if not re.match(r"api(?![\w>])", text):
        return None
    if found := _BODY.fullmatch(text):
        return ExpectBody(at, _pattern(at, "\n".join([found[1].strip(), *more]), contains=True))
    if more:
        raise at.error("only api<~ goes on in indented lines")
    if found := _STATUS.fullmatch(text):
        return ExpectStatus(at, int(found[1]))
    if found := _HEADER.fullmatch(text):
        return ExpectHeader(at, found[1], _pattern(at, found[2]))
    if found := _MEMBER.fullmatch(text):
        return ExpectMember(at, tuple(found[1].split(".")), _pattern(at, found[2]))
    raise at.error(USAGE)


def _pattern(at: SourceLine, text: str, *, contains: bool = False) -> Pattern:
    if not text.strip():
        raise at.error("nothing is expected")
    try:
        return Pattern.read(text, contains=contains)
    except ValueError as error:
        raise at.error(str(error)) from None


def find(answer: ApiAnswer, wanted: ApiExpectation) -> dict[str, str] | None:
    """The captures, or ``None`` if the answer is another."""
    match wanted:
        case ExpectStatus():
            return {} if answer.status == wanted.status else None
        case ExpectBody():
            shown = _bodies(answer.body)
        case ExpectHeader():
            header = answer.headers.get(wanted.name.lower())
            shown = iter(() if header is None else (header,))
        case ExpectMember():
            shown = _member(answer.body, wanted.path)
    for text in shown:
        captures = wanted.pattern.match(text)
        if captures is not None:
            return captures
    return None


def expected(wanted: ApiExpectation) -> str:
    match wanted:
        case ExpectStatus():
            return str(wanted.status)
        case ExpectBody():
            return str(wanted.pattern)
        case ExpectHeader():
            return f"header {wanted.name} {wanted.pattern}"
        case ExpectMember():
            return f"{'.'.join(wanted.path)} {wanted.pattern}"


def came(answer: ApiAnswer, wanted: ApiExpectation) -> str:
    if isinstance(wanted, ExpectHeader):
        return "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    return str(answer)


def _bodies(body: str) -> Iterator[str]:
    """As it was sent, and as JSON is mostly written, with blanks between its parts."""
    yield body
    with suppress(ValueError):
        yield json.dumps(json.loads(body), ensure_ascii=False)


def _member(body: str, path: Sequence[str]) -> Iterator[str]:
    """A text bare, else in quotes; anything else as JSON prints it. Nothing if it is not there."""
    try:
        value: Any = json.loads(body)
        for step in path:
            value = value[int(step)] if isinstance(value, list) else value[step]
    except (ValueError, LookupError, TypeError):
        return
    if isinstance(value, str):
        yield value
    yield json.dumps(value, ensure_ascii=False)
    yield json.dumps(value, ensure_ascii=False, separators=(",", ":"))
