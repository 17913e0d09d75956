"""Desk PINs as values: how one is read, and which are too easy (facts: USSD, Security).

A person sets it in the chat, and types it where a channel asks for no code. It is none of M-PESA's.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from services.domain.phone import Phone

DIGITS_MIN, DIGITS_MAX = 4, 6
TRIES_MAX = 3  # wrong ones in a row; then it is locked until a new one is set
CHANGE_LIFE = timedelta(minutes=10)  # from the right code to the second typing, without grace
TYPED_MAX = 48  # characters; more is never a PIN
DIGEST_VERSION = 1

_BIRTH_YEARS = range(1900, 2030)  # of a PIN that is nothing but a year
_YEARS_INSIDE = range(1930, 2030)  # at either end of a longer one
_TYPED = re.compile(
    r"(?:(?:(?:my|the)\s+)?(?:new\s+)?pin(?:\s+(?:yangu|mpya))*(?:\s+(?:is|ni))?\s*[:=]?\s*)?"
    rf"([0-9]{{{DIGITS_MIN},{DIGITS_MAX}}})\.?",
    re.IGNORECASE,
)


class Weakness(StrEnum):
    """Why a PIN is too easy to guess."""

    SAME = "same"  # one digit
    RUN = "run"  # up or down, also past the 9 or the 0
    PAIRS = "pairs"  # the same two digits in turn
    YEAR = "year"  # a year of birth
    NUMBER = "number"  # stands in the own number


@dataclass(frozen=True, slots=True)
class DeskPin:
    """One PIN as stored: never the PIN itself. ``wrong`` counts wrong tries in a row."""

    person_id: int
    pepper_id: str
    digest: str
    wrong: int
    set_at: datetime
    locked_at: datetime | None

    @property
    def is_locked(self) -> bool:
        return self.locked_at is not None

    @property
    def tries_left(self) -> int:
        return max(0, TRIES_MAX - self.wrong)


@dataclass(frozen=True, slots=True)
class PinChange:
    """A PIN on its way: its code was right. ``digest`` is of the first typing, with the key
    ``pepper_id``; ``None`` until that came."""

    operation: str
    person_id: int
    proved_at: datetime
    pepper_id: str | None = None
    digest: str | None = None


def read_pin(typed: str) -> str | None:
    """The four to six digits in what was typed, such as "2580." or "My PIN is 2580"; nothing else
    may stand beside or between them."""
    if len(typed) > TYPED_MAX:
        return None
    found = _TYPED.fullmatch(typed.strip())
    return None if found is None else found[1]


def find_weakness(pin: str, own: Phone) -> Weakness | None:
    """Why the person with the number ``own`` may not choose it; ``None`` if they may."""
    digits = [int(digit) for digit in pin]
    steps = {(after - before) % 10 for before, after in pairwise(digits)}
    if steps == {0}:
        return Weakness.SAME
    if steps in ({1}, {9}):
        return Weakness.RUN
    if pin[2:] == pin[:-2]:
        return Weakness.PAIRS
    if _names_year(pin):
        return Weakness.YEAR
    if pin in own.msisdn or pin in f"0{own.msisdn.removeprefix('254')}":
        return Weakness.NUMBER
    return None


def _names_year(pin: str) -> bool:
    if len(pin) == len("1900"):
        return int(pin) in _BIRTH_YEARS
    return int(pin[:4]) in _YEARS_INSIDE or int(pin[-4:]) in _YEARS_INSIDE


def digest(pepper: bytes, person_id: int, pin: str) -> str:
    """HMAC-SHA256 over version, person and PIN: the same PIN of two people differs."""
    text = f"desk-pin|{DIGEST_VERSION}|{person_id}|{pin}"
    return hmac.new(pepper, text.encode(), hashlib.sha256).hexdigest()
