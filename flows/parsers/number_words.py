"""Reads numbers that are written out, in English or in Kiswahili, up to a million.

Kiswahili names the thousands first: *elfu mbili mia tano* is 2,500. What follows *elfu* belongs to
it as far as it can: *elfu kumi na tano* is 15,000, as people say it, while *elfu kumi na hamsini*
is 10,050.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MOST = 1_000_000
_WORD = re.compile(r"[a-z]+|[0-9]+")
_SEVERAL = re.compile(r"(?=.*[a-z])[a-z0-9]+(?:[ -]+[a-z0-9]+)*")

_ENGLISH: Mapping[str, int] = {
    "a": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "thirteen": 13,
    "fourteen": 14,
    "fifteen": 15,
    "sixteen": 16,
    "seventeen": 17,
    "eighteen": 18,
    "nineteen": 19,
}
_ENGLISH_TENS: Mapping[str, int] = {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
_UNITS: Mapping[str, int] = {
    "moja": 1,
    "mbili": 2,
    "tatu": 3,
    "nne": 4,
    "tano": 5,
    "sita": 6,
    "saba": 7,
    "nane": 8,
    "tisa": 9,
}
_TENS: Mapping[str, int] = {
    "kumi": 10,
    "ishirini": 20,
    "thelathini": 30,
    "arobaini": 40,
    "hamsini": 50,
    "sitini": 60,
    "sabini": 70,
    "themanini": 80,
    "tisini": 90,
}


_HUNDREDS = ("mia", "soo")
_THOUSANDS = ("elfu", "thao", "ngiri")  # the last two as people say it in the street
# A word that belongs to a number: what is left of one must not be taken for another.
NUMBER_WORDS = frozenset(
    {
        *_ENGLISH,
        *_ENGLISH_TENS,
        *_UNITS,
        *_TENS,
        *_HUNDREDS,
        *_THOUSANDS,
        "hundred",
        "thousand",
        "million",
        "half",
        "laki",
        "milioni",
        "nusu",
    }
) - {"a"}


def read_number_words(text: str) -> int | None:
    """The number, or ``None`` if the text is anything else; bare digits are not read here."""
    typed = text.strip().casefold()
    words = _WORD.findall(typed)
    if not _SEVERAL.fullmatch(typed) or words == ["a"]:
        return None
    for reader in (_English, _Kiswahili):
        number = reader(words).read()
        if number is not None and 0 < number <= MOST:
            return number
    return None


class _Words:
    """A position in a list of words."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._at = 0

    @property
    def next(self) -> str:
        return self._words[self._at] if self._at < len(self._words) else ""

    def take(self, *words: str) -> bool:
        if self.next not in words or not self.next:
            return False
        self._at += 1
        return True

    def take_from(self, values: Mapping[str, int]) -> int:
        """The value of the next word, or zero if it has none."""
        value = values.get(self.next, 0)
        self._at += bool(value)
        return value

    def take_digits(self, below: int) -> int:
        if self.next.isdigit() and int(self.next) < below:
            self._at += 1
            return int(self._words[self._at - 1])
        return 0

    def back_to(self, at: int) -> None:
        self._at = at


class _English(_Words):
    def read(self) -> int | None:
        total = 0
        for word, size in (("million", 1_000_000), ("thousand", 1_000)):
            start = self._at
            self.take("and")
            group = self._below_1000()
            if group and self.take(word):
                total += group * size
            else:
                self.back_to(start)
        if total:
            self.take("and")
        total += self._below_1000()
        return total if total and not self.next else None

    def _below_1000(self) -> int:
        number = self.take_digits(1000) or self._below_100()
        if number and self.take("hundred"):
            if number > 99:
                return 0
            self.take("and")
            return number * 100 + self._below_100()
        return number

    def _below_100(self) -> int:
        tens = self.take_from(_ENGLISH_TENS)
        if tens:
            return tens + (self.take_from(_ENGLISH) if _ENGLISH.get(self.next, 10) < 10 else 0)
        return self.take_from(_ENGLISH)


class _Kiswahili(_Words):
    def read(self) -> int | None:
        total = 0
        sizes = ((("milioni",), 1_000_000), (("laki",), 100_000), (_THOUSANDS, 1_000))
        for words, size in sizes:
            start = self._at
            if total:
                self.take("na")
            if not self.take(*words):
                self.back_to(start)
                continue
            count = self._hundreds() or self._below_100() or self.take_digits(1000)
            if not count:
                return None
            total += count * size
        if total:
            self.take("na")
        hundreds = self._hundreds()
        if hundreds:
            self.take("na")
        total += hundreds + self._below_100()
        return total if total and not self.next else None

    def _hundreds(self) -> int:
        if not self.take(*_HUNDREDS):
            return 0
        return 100 * (self.take_from(_UNITS) or self.take_digits(10) or 1)

    def _below_100(self) -> int:
        tens = self.take_from(_TENS)
        if not tens:
            return self.take_from(_UNITS)
        start = self._at
        self.take("na")
        units = self.take_from(_UNITS)
        if not units:
            self.back_to(start)
        return tens + units
