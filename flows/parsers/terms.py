"""Parsers for admins' settings and decisions: fees, limits and operations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from flows.engine.host import Host
from flows.parsers.number_words import read_number_words
from flows.parsers.people import KnownPartner
from flows.parsers.values import says_none
from services.domain.fees import Fee, FeeKind, percent_to_ppm
from services.domain.ids import ALPHABET, REFERENCE_LENGTH
from services.domain.limits import DESK
from services.domain.money import Money
from services.domain.refusal import Refusal

TYPED_MAX = 120  # characters; the longest sensible terms have about 80
ECHO_MAX = 20  # characters of the input that are repeated in a refusal

# What the parts of a fee are called; other words are understood as these.
_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("fixed", "flat"), "fixed"),
    **dict.fromkeys(("percent", "percentage", "pct", "%", "asilimia"), "percent"),
    **dict.fromkeys(("min", "minimum", "least", "angalau"), "min"),
    **dict.fromkeys(("max", "maximum", "most", "hadi"), "max"),
}
FEE_WORDS = frozenset(_WORDS)
_JOINERS = frozenset({"+", "and", "plus", "&", "na"})  # between the parts
_PHRASES = {"up to": "max", "at least": "min", "at most": "max"}
_CURRENCY = frozenset(
    {"kes", "ksh", "kshs", "sh", "shs", "shilling", "shillings", "bob", "shilingi"}
)
_GLUED = re.compile(r"(?:kes|kshs?|shs?)\.?(?=[0-9])|(?<=[0-9])/[-=]")
_AMOUNT = re.compile(r"(?P<whole>[0-9]{1,10}|[0-9]{1,3}(?:,[0-9]{3}){1,3})(?P<part>\.[0-9]{1,2})?")
_REFERENCE = re.compile(rf"(?P<kind>[A-Z]{{2}})-?(?P<drawn>[{ALPHABET}]{{{REFERENCE_LENGTH}}})")


@dataclass(frozen=True)
class FeeTerms:
    """A fee of ``kind`` on one line: ``fixed 50 percent 0.5 min 20 max 200``, in any order, or as
    people write it: ``50``, ``KES 50``, ``0.5% min 20``, ``1 percent``, ``none``.

    A fixed part or a percentage is required; anything omitted is zero or unlimited. Refusals:
    ``fee_not_terms``, ``fee_word`` (word), ``fee_twice`` (word), ``fee_value`` (word),
    ``fee_amount`` (word, value), ``fee_percent`` (value), ``fee_bounds``.
    """

    kind: FeeKind

    def __call__(self, text: str, host: Host) -> Fee | Refusal:
        if len(text) > TYPED_MAX:
            return Refusal("fee_not_terms")
        if says_none(text):
            return Fee(self.kind)
        written = read_number_words(" ".join(text.casefold().split()))
        if written is not None:
            return Fee(self.kind, fixed=Money(written * 100))
        values = _parts(_tokens(text))
        if isinstance(values, Refusal):
            return values
        if not {"fixed", "percent"} & values.keys():
            return Refusal("fee_not_terms")
        amounts: dict[str, Money] = {}
        for word in ("fixed", "min", "max"):
            if word in values:
                amount = _amount(values[word])
                if amount is None:
                    return Refusal.of("fee_amount", word=word, value=values[word][:ECHO_MAX])
                amounts[word] = amount
        percent = values.get("percent", "0")
        try:
            ppm = percent_to_ppm(percent)
        except ValueError:
            return Refusal.of("fee_percent", value=percent[:ECHO_MAX])
        try:
            return Fee(
                self.kind,
                fixed=amounts.get("fixed", Money(0)),
                ppm=ppm,
                minimum=amounts.get("min"),
                maximum=amounts.get("max"),
            )
        except ValueError:
            return Refusal("fee_bounds")


def _tokens(text: str) -> list[str]:
    """Words and figures, without currencies; "%" stands alone, and "+" for what joins parts."""
    plain = " ".join(text.casefold().replace("%", " % ").split())
    for phrase, word in _PHRASES.items():
        plain = plain.replace(phrase, word)
    words = (word.rstrip(",;.") for word in _GLUED.sub("", plain).split())
    kept = (word for word in words if word and word not in _CURRENCY)
    return ["+" if word in _JOINERS else word for word in kept]


def _parts(tokens: list[str]) -> dict[str, str] | Refusal:
    """Each part of the fee with its figure."""
    values: dict[str, str] = {}
    while tokens:
        word = tokens[0]
        named = _WORDS.get(word)
        if word == "+":
            tokens = tokens[1:]
            continue
        if named is None:
            read = _bare_figure(tokens)
        elif len(tokens) == 1 or tokens[1] in _WORDS:
            return Refusal.of("fee_value", word=word)
        else:
            read = named, tokens[1], tokens[2:]
        if isinstance(read, Refusal):
            return read
        part, value, tokens = read
        if named is not None and tokens[:1] == ["%"]:
            if part != "percent":
                return Refusal.of("fee_amount", word=word, value=f"{value}%"[:ECHO_MAX])
            tokens = tokens[1:]
        if part in values:
            return Refusal("fee_not_terms") if named is None else Refusal.of("fee_twice", word=part)
        values[part] = value
    return values


def _bare_figure(tokens: list[str]) -> tuple[str, str, list[str]] | Refusal:
    """It is the fixed part, or the percentage if that is said behind it: (part, figure, rest)."""
    figure, *rest = tokens
    if not _is_figure(figure):
        return Refusal.of("fee_word", word=figure[:ECHO_MAX])
    if not rest or _WORDS.get(rest[0]) != "percent":
        return "fixed", figure, rest
    said, *rest = rest
    if said != "%" and rest and _is_figure(rest[0]):
        return Refusal("fee_not_terms")  # in "50 percent 1" it may be either
    return "percent", figure, rest


def _is_figure(token: str) -> bool:
    return any(map(str.isdigit, token))


def _amount(text: str) -> Money | None:
    match = _AMOUNT.fullmatch(text)
    return (
        None if match is None else Money.of(match["whole"].replace(",", "") + (match["part"] or ""))
    )


@dataclass(frozen=True)
class PartnerOrDesk:
    """The code of an existing partner, or ``DESK`` for all partners."""

    def __call__(self, text: str, host: Host) -> str | Refusal:
        if text.strip().upper() == DESK:
            return DESK
        return KnownPartner()(text, host)


@dataclass(frozen=True)
class OperationReference:
    """A reference such as ``TU-7K3QF9``, with or without its dash, in either case."""

    def __call__(self, text: str, host: Host) -> str | Refusal:
        match = _REFERENCE.fullmatch(text.strip().upper())
        if match is None:
            return Refusal("not_a_reference")
        return f"{match['kind']}-{match['drawn']}"
