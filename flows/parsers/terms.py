"""Parsers for admins' settings and decisions: fees, limits and operations."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flows.engine.host import Host
from flows.parsers.people import KnownPartner
from services.domain.fees import Fee, FeeKind, percent_to_ppm
from services.domain.ids import ALPHABET, REFERENCE_LENGTH
from services.domain.limits import DESK
from services.domain.money import Money
from services.domain.refusal import Refusal

TYPED_MAX = 120  # characters; the longest sensible terms have about 80
ECHO_MAX = 20  # characters of the input that are repeated in a refusal

_WORDS = ("fixed", "percent", "min", "max")
_AMOUNT = re.compile(r"(?P<whole>[0-9]{1,10}|[0-9]{1,3}(?:,[0-9]{3}){1,3})(?P<part>\.[0-9]{1,2})?")
_REFERENCE = re.compile(rf"(?P<kind>[A-Z]{{2}})-?(?P<drawn>[{ALPHABET}]{{{REFERENCE_LENGTH}}})")


@dataclass(frozen=True)
class FeeTerms:
    """A fee of ``kind`` on one line: ``fixed 50 percent 0.5 min 20 max 200``, in any order.

    ``fixed`` or ``percent`` is required; anything omitted is zero or unlimited. Refusals:
    ``fee_not_terms``, ``fee_word`` (word), ``fee_twice`` (word), ``fee_value`` (word),
    ``fee_amount`` (word, value), ``fee_percent`` (value), ``fee_bounds``.
    """

    kind: FeeKind

    def __call__(self, text: str, host: Host) -> Fee | Refusal:
        words = text.casefold().split()
        if not words or len(text) > TYPED_MAX:
            return Refusal("fee_not_terms")
        values = _pairs(words)
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
            ppm = percent_to_ppm(percent.removesuffix("%"))
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


def _pairs(words: list[str]) -> dict[str, str] | Refusal:
    """Each keyword with its value."""
    values: dict[str, str] = {}
    for at in range(0, len(words), 2):
        word = words[at]
        if word not in _WORDS:
            return Refusal.of("fee_word", word=word[:ECHO_MAX])
        if word in values:
            return Refusal.of("fee_twice", word=word)
        if at + 1 == len(words) or words[at + 1] in _WORDS:
            return Refusal.of("fee_value", word=word)
        values[word] = words[at + 1]
    return values


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
