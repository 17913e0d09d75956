"""How ``@api`` is written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

from bot.scripts.api_call import METHODS, NOBODY, WRONG, ApiCall, Value
from bot.scripts.source_line import SourceLine
from services.domain.api_key import Scope

USAGE = (
    "@api is written: @api CODE METHOD PATH [name=value …] [key=K]"
    " [as READ,TOPUP | as nobody | as wrong] [header NAME=VALUE …]"
)
_START = re.compile(r"@api\s+(\S+)\s+(\S+)\s+(\S+)")
_WORD = re.compile(r"\s*(?:(?P<name>[\w.-]+)=|(?P<word>\S+))")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_BARE = re.compile(r"\S*")
_CLOSES = {"[": "]", "{": "}"}


def read_api(at: SourceLine, text: str, copies: int = 1) -> ApiCall:
    """Raises ``ScriptError``."""
    start = _START.match(text)
    if start is None:
        raise at.error(USAGE)
    partner, method, path = start.groups()
    if method not in METHODS:
        raise at.error(f"there is no method {method}: {', '.join(METHODS)}")
    if not path.startswith(("/", "{")):
        raise at.error(f"a path begins with /, not {path!r}")
    call = ApiCall(at, partner, method, path, copies=copies)
    parts = _parts(at, text[start.end() :])
    for name, value in parts:
        call = _with(call, name, value, parts)
    return call


def _with(call: ApiCall, name: str, value: Value | None, rest: Iterator[_Part]) -> ApiCall:
    at = call.at
    if value is None and name == "header":
        name, value = next(rest, ("", None))
        if value is None:
            raise at.error("header needs NAME=VALUE")
        if not re.fullmatch(r"[A-Za-z0-9-]+", name):
            raise at.error(f"no header has the name {name}")
        return replace(call, headers=(*call.headers, (name, value)))
    if value is None and name == "as":
        caller, extra = next(rest, ("", None))
        if not caller or extra is not None or call.caller is not None:
            raise at.error("as is said once: as READ,TOPUP, as nobody or as wrong")
        return replace(call, caller=_caller(at, caller))
    if value is None:
        raise at.error(f"cannot read {name!r}: {USAGE}")
    if name == "key":
        if call.key is not None:
            raise at.error("key= is said twice")
        return replace(call, key=value)
    return replace(call, members=(*call.members, (name, value)))


def _caller(at: SourceLine, written: str) -> str:
    if written in (NOBODY, WRONG):
        return written
    for scope in written.split(","):
        if scope not in Scope.__members__:
            raise at.error(f"there is no scope {scope}: {', '.join(Scope.__members__)}")
    return written


_Part = tuple[str, Value | None]


def _parts(at: SourceLine, text: str) -> Iterator[_Part]:
    """``name=value``, or a word without a value."""
    place = 0
    while found := _WORD.match(text, place):
        place = found.end()
        if found["name"] is None:
            yield found["word"], None
            continue
        value, place = _value(at, text, place)
        yield found["name"], value


def _value(at: SourceLine, text: str, start: int) -> tuple[Value, int]:
    """The value that begins at ``start``, and where it ends."""
    if text.startswith('"', start):
        quoted = _QUOTED.match(text, start)
        if quoted is None:
            raise at.error("a quote is not closed")
        try:
            return Value(json.loads(quoted[0]), quoted=True), quoted.end()
        except ValueError:
            return Value(quoted[0][1:-1], quoted=True), quoted.end()
    bare = _BARE.match(text, start)
    assert bare is not None
    if text[start : start + 1] in _CLOSES and '"' in bare[0]:
        end = _closing(text, start)
        if end is None:
            raise at.error("a list or an object is not closed")
        return Value(text[start:end]), end
    return Value(bare[0]), bare.end()


def _closing(text: str, start: int) -> int | None:
    """Where the JSON that opens at ``start`` ends; brackets in its texts do not count."""
    depth, place = 0, start
    while place < len(text):
        if text[place] == '"':
            quoted = _QUOTED.match(text, place)
            if quoted is None:
                return None
            place = quoted.end()
            continue
        depth += (text[place] in "[{") - (text[place] in "]}")
        place += 1
        if depth == 0:
            return place
    return None
