"""Patterns of expectations: literal text with capturing holes (conversation scripts)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_NAME = r"[^\W\d][\w-]*"
_HOLE = re.compile(rf"\{{(?:\*\}}|(?P<name>{_NAME})(?P<end>[:}}]))")
# Flags of a whole regex, applied to its part here
_FLAGS = re.compile(r"\A\(\?([imsx]+)\)(.*)\Z", re.DOTALL)
_USE = re.compile(rf"\{{({_NAME})\}}")


def without_layout(text: str) -> str:
    """Drop indentation, trailing spaces and blank lines, which have no meaning in scripts or
    messages.
    """
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def variables(text: str) -> list[str]:
    """Variables that ``fill`` would need, in order."""
    return _USE.findall(text)


def fill(text: str, captured: Mapping[str, str]) -> str:
    """Replace each ``{var}``. Raises ``KeyError`` for one that was not captured."""
    return _USE.sub(lambda use: captured[use[1]], text)


@dataclass(frozen=True, slots=True)
class Pattern:
    """``names`` are the captures from left to right; a name may occur twice."""

    text: str
    contains: bool
    names: tuple[str, ...]
    regex: re.Pattern[str]

    @classmethod
    def read(cls, text: str, *, contains: bool = False) -> Pattern:
        """Raises ``ValueError`` for unbalanced braces or an invalid regex."""
        text = without_layout(text)
        names: list[str] = []
        parts: list[str] = []
        for name, part in _parts(text):
            if name is not None:
                # Numbered: a name's second capture must not be a back reference to the first.
                part = f"(?P<hole{len(names)}>{part})"
                names.append(name)
            parts.append(part)
        flags = re.DOTALL | (re.IGNORECASE if contains else re.NOFLAG)
        return cls(text, contains, tuple(names), _compiled("".join(parts), flags))

    def match(self, shown: str) -> dict[str, str] | None:
        """The captures, or ``None`` without a match."""
        shown = without_layout(shown)
        found = self.regex.search(shown) if self.contains else self.regex.fullmatch(shown)
        if found is None:
            return None
        return {name: found[f"hole{n}"] for n, name in enumerate(self.names)}

    def __str__(self) -> str:
        return f"contains: {self.text}" if self.contains else self.text


def _parts(text: str) -> Iterator[tuple[str | None, str]]:
    """(capture name, regex) from left to right; literal text and ``{*}`` have no name."""
    at = 0
    while hole := _HOLE.search(text, at):
        yield None, re.escape(text[at : hole.start()])
        at = hole.end()
        if hole["name"] is None:
            yield None, ".*?"
        elif hole["end"] == "}":
            yield hole["name"], ".*?"
        else:
            end = _closing_brace(text, at)
            # Compiled alone first, so that a broken regex cannot be completed by its surroundings.
            alone = _compiled(text[at:end]).pattern
            yield hole["name"], _FLAGS.sub(r"(?\1:\2)", alone)
            at = end + 1
    yield None, re.escape(text[at:])


def _closing_brace(text: str, start: int) -> int:
    depth = 1
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at
    raise ValueError(f"the braces of {text[start - 1 :]!r} do not balance")


def _compiled(regex: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    try:
        return re.compile(regex, flags)
    except re.error as error:
        raise ValueError(f"{regex!r} is no regular expression: {error}") from None
