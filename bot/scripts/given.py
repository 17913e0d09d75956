"""``given`` lines: the partners, people and settings a script starts with."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from bot.scripts.head import LANGUAGES
from bot.scripts.source_line import SourceLine
from services.domain.money import Money

NAME = r"[^\W\d][\w.-]*"
ROLES = ("owner", "operator", "viewer")
FEES = ("transfer", "processing")
_ZERO = "0.00"


@dataclass(frozen=True, slots=True)
class GivenPartner:
    at: SourceLine
    code: str
    wallet: Money
    float: Money
    threshold: Money
    suspended: bool


@dataclass(frozen=True, slots=True)
class GivenPerson:
    """``lang`` is the person's own or the head's; ``None`` only while the script is being read."""

    at: SourceLine
    name: str
    partner: str
    role: str
    phone: str
    email: str | None
    lang: str | None
    linked: bool


@dataclass(frozen=True, slots=True)
class GivenAdmin:
    at: SourceLine
    name: str


@dataclass(frozen=True, slots=True)
class GivenFee:
    at: SourceLine
    partner: str
    kind: str
    fixed: Money
    percent: str | None
    minimum: Money | None
    maximum: Money | None


@dataclass(frozen=True, slots=True)
class GivenSetting:
    at: SourceLine
    name: str
    value: str


Given = GivenPartner | GivenPerson | GivenAdmin | GivenFee | GivenSetting


def read_given(at: SourceLine, text: str) -> Given:
    """Read the text after ``given``. Raises ``ScriptError``."""
    kind, *words = text.split()
    if not words:
        raise at.error(f"given {kind} needs more words")
    match kind:
        case "partner":
            return _partner(at, words)
        case "person":
            return _person(at, words)
        case "admin" if len(words) == 1:
            return GivenAdmin(at, _name(at, words[0]))
        case "fee" if len(words) > 1 and words[1] in FEES:
            return _fee(at, words)
        case "setting" if len(words) > 1:
            return GivenSetting(at, words[0], text.split(None, 2)[2])
    raise at.error(f"cannot read: given {text}")


def amount(at: SourceLine, text: str) -> Money:
    """A plain decimal in KES."""
    if not re.fullmatch(r"[0-9]+(\.[0-9]{1,2})?", text):
        raise at.error(f"an amount is a plain decimal such as 1700.00, not {text!r}")
    return Money.of(text)


def digits(at: SourceLine, text: str) -> str:
    if not re.fullmatch(r"[0-9]+", text):
        raise at.error(f"a phone is written in digits, not {text!r}")
    return text


def _partner(at: SourceLine, words: list[str]) -> GivenPartner:
    options = _options(at, words[1:], ("wallet", "float", "threshold"), ("suspended",))
    return GivenPartner(
        at,
        words[0],
        wallet=amount(at, options.get("wallet", _ZERO)),
        float=amount(at, options.get("float", _ZERO)),
        threshold=amount(at, options.get("threshold", _ZERO)),
        suspended="suspended" in options,
    )


def _person(at: SourceLine, words: list[str]) -> GivenPerson:
    options = _options(at, words[1:], ("of", "role", "phone", "email", "lang"), ("unlinked",))
    for needed in ("of", "role", "phone"):
        if needed not in options:
            raise at.error(f"given person {words[0]} does not say {needed}")
    if options["role"] not in ROLES:
        raise at.error(f"a role is owner, operator or viewer, not {options['role']!r}")
    if options.get("lang", "en") not in LANGUAGES:
        raise at.error(f"lang is en or sw, not {options['lang']!r}")
    return GivenPerson(
        at,
        _name(at, words[0]),
        options["of"],
        options["role"],
        digits(at, options["phone"]),
        options.get("email"),
        options.get("lang"),
        linked="unlinked" not in options,
    )


def _fee(at: SourceLine, words: list[str]) -> GivenFee:
    options = _options(at, words[2:], ("fixed", "percent", "min", "max"), ())
    if "fixed" not in options:
        raise at.error("given fee does not say fixed")
    return GivenFee(
        at,
        words[0],
        words[1],
        amount(at, options["fixed"]),
        options.get("percent"),
        amount(at, options["min"]) if "min" in options else None,
        amount(at, options["max"]) if "max" in options else None,
    )


def _name(at: SourceLine, word: str) -> str:
    if not re.fullmatch(NAME, word):
        raise at.error(f"{word!r} is no name")
    return word


def _options(
    at: SourceLine, words: list[str], valued: Collection[str], flags: Collection[str]
) -> dict[str, str]:
    """Words in any order, some followed by a value; none twice."""
    options: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if word in options:
            raise at.error(f"{word} is said twice")
        if word in flags:
            options[word] = ""
        elif word in valued:
            value = next(rest, None)
            if value is None:
                raise at.error(f"{word} has no value")
            options[word] = value
        else:
            raise at.error(f"cannot read {word!r}")
    return options
