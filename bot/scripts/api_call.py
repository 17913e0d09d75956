"""``@api``: a request of a partner's own system, as written and as it is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from bot.scripts.pattern import fill, variables
from bot.scripts.source_line import SourceLine

IN_QUERY = ("GET", "HEAD", "DELETE", "OPTIONS")  # methods whose names go into the query
METHODS = (*IN_QUERY, "POST", "PUT", "PATCH")
NOBODY, WRONG = "nobody", "wrong"  # callers without a key, and with one that does not exist


@dataclass(frozen=True, slots=True)
class Value:
    """A value before variables are filled in; a quoted one is always a text."""

    text: str
    quoted: bool = False

    def filled(self, captured: Mapping[str, str]) -> str:
        return fill(self.text, captured)

    def as_json(self, captured: Mapping[str, str]) -> str:
        """What holds a variable is a text: a captured code or phone is no number."""
        if not self.quoted and (read := _read_json(self.text)) is not None:
            is_whole = isinstance(read, list | dict)
            return json.dumps(_fill_json(read, captured)) if is_whole else self.text
        return json.dumps(self.filled(captured))

    def written(self, captured: Mapping[str, str]) -> str:
        """For a transcript, where every variable has its value."""
        if self.quoted or variables(self.text):
            if not self.quoted and _read_json(self.text) is not None:
                return self.as_json(captured)
            return json.dumps(self.filled(captured), ensure_ascii=False)
        return self.text


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request as it is sent. ``caller`` names scopes by commas, ``nobody`` or ``wrong``; ``None``
    has every scope."""

    partner: str
    method: str
    target: str  # path and query
    caller: str | None
    headers: tuple[tuple[str, str], ...]
    body: str | None


@dataclass(frozen=True, slots=True)
class ApiCall:
    """``copies`` are sent at the same moment. Variables may stand in everything but the method and
    the names."""

    at: SourceLine
    partner: str
    method: str
    path: str
    members: tuple[tuple[str, Value], ...] = ()
    key: Value | None = None
    caller: str | None = None
    headers: tuple[tuple[str, Value], ...] = ()
    copies: int = 1

    def request(self, captured: Mapping[str, str]) -> ApiRequest:
        """Raises ``KeyError`` for a variable that was not captured."""
        target, body = fill(self.path, captured), None
        headers = [(name, value.filled(captured)) for name, value in self.headers]
        if self.key is not None:
            headers.append(("Idempotency-Key", self.key.filled(captured)))
        if self.members and self.method in IN_QUERY:
            query = urlencode([(name, value.filled(captured)) for name, value in self.members])
            target += ("&" if "?" in target else "?") + query
        elif self.members:
            members = [
                f"{json.dumps(name)}:{value.as_json(captured)}" for name, value in self.members
            ]
            body = "{" + ",".join(members) + "}"
        partner = fill(self.partner, captured)
        return ApiRequest(partner, self.method, target, self.caller, tuple(headers), body)

    def written(self, captured: Mapping[str, str]) -> str:
        """The line with every variable filled in."""
        words = ["@api", fill(self.partner, captured), self.method, fill(self.path, captured)]
        words += [f"{name}={value.written(captured)}" for name, value in self.members]
        if self.key is not None:
            words.append(f"key={self.key.written(captured)}")
        if self.caller is not None:
            words.append(f"as {self.caller}")
        words += [f"header {name}={value.written(captured)}" for name, value in self.headers]
        race = [f"@race {self.copies}"] if self.copies > 1 else []
        return " ".join(race + words)


def _read_json(text: str) -> Any:
    """A number, true, false, null, a list or an object; ``None`` for a text, as for nothing.

    ``null`` is given as its own word, because ``None`` says that there is none.
    """
    if text == "null":
        return text
    try:
        read = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return None if isinstance(read, str) else read


def _refuse(word: str) -> Any:
    raise ValueError(word)


def _fill_json(value: Any, captured: Mapping[str, str]) -> Any:
    match value:
        case str():
            return fill(value, captured)
        case list():
            return [_fill_json(item, captured) for item in value]
        case dict():
            return {name: _fill_json(item, captured) for name, item in value.items()}
    return value
