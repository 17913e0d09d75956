"""What a payer says a payment is for, and which of our references it can be read as.

People type ``774451#tu-7k3qf9`` as readily as ``Umoja.`` or ``774451umoja``, and the bank passes it
on in one field or two. Which reading applies is decided by what exists, never by its shape.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence

from services.domain.ids import ALPHABET, REFERENCE_LENGTH

PARTED = "#"  # between the account and the purpose, and between the bank's fields

_WORD = re.compile(r"[^\W_]+")
_CODE = re.compile(r"[A-Z][A-Z0-9]{0,31}")
_DRAWN = rf"([{ALPHABET}]{{{REFERENCE_LENGTH}}})"
_AS_WORD = re.compile(rf"TU ?{_DRAWN}(?= |$)")  # also at the end of another word
_AT_THE_END = re.compile(rf"TU{_DRAWN}$")
_GLUED_MIN = 5  # digits a number of ours needs to be recognised inside other words


def words(text: str) -> list[str]:
    """Its words in capitals, without punctuation, blanks and invisible characters."""
    plain = unicodedata.normalize("NFKC", text)
    seen = (char for char in plain if unicodedata.category(char) != "Cf")
    return _WORD.findall("".join(seen).upper())


def typed(fields: Iterable[str], ours: Collection[str]) -> str:
    """What the fields say besides ``ours``, our own numbers and fixed words; each part once.

    Empty if they name only our account.
    """
    known = {"".join(words(one)) for one in ours} - {""}
    parts = (_beside(part, known) for field in fields for part in field.split(PARTED))
    return PARTED.join(dict.fromkeys(part for part in parts if part))


def topups(text: str) -> Sequence[str]:
    """References of top-ups it may name, with their dash."""
    drawn: list[str] = []
    for part in _parts(text):
        drawn += _AS_WORD.findall(" ".join(part))
        drawn += _AT_THE_END.findall("".join(part))
    return [f"TU-{one}" for one in dict.fromkeys(drawn)]


def partners(text: str) -> Sequence[str]:
    """Codes of partners it may name: only a whole part, never one word among others."""
    found = ("".join(part) for part in _parts(text))
    return [one for one in dict.fromkeys(found) if _CODE.fullmatch(one)]


def _parts(text: str) -> list[list[str]]:
    return [found for part in text.split(PARTED) if (found := words(part))]


def _beside(part: str, ours: Collection[str]) -> str:
    found = words(part)
    if "".join(found) in ours:
        return ""
    left = [word for word in found if word not in ours]
    numbers = (one for one in ours if one.isdigit() and len(one) >= _GLUED_MIN)
    for number in sorted(numbers, key=len, reverse=True):
        left[:1] = [word.removeprefix(number) for word in left[:1]]
        left[-1:] = [word.removesuffix(number) for word in left[-1:]]
    return " ".join(word for word in left if word)
