"""Every number up to a million is read from its words in either language, as people say them."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from flows.parsers.number_words import MOST, read_number_words

ENGLISH = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
ENGLISH_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
UNITS = ["moja", "mbili", "tatu", "nne", "tano", "sita", "saba", "nane", "tisa"]
TENS = [
    "kumi",
    "ishirini",
    "thelathini",
    "arobaini",
    "hamsini",
    "sitini",
    "sabini",
    "themanini",
    "tisini",
]


def english(number: int, joined: str) -> str:
    if number >= 1_000_000:
        return "one million"
    if number >= 1_000:
        rest = number % 1_000
        return (
            english(number // 1_000, joined)
            + " thousand"
            + (f" {english(rest, joined)}" if rest else "")
        )
    if number >= 100:
        rest = number % 100
        tail = f"{joined}{english(rest, joined)}" if rest else ""
        return f"{ENGLISH[number // 100 - 1]} hundred{tail}"
    if number < 20:
        return ENGLISH[number - 1]
    unit = f"-{ENGLISH[number % 10 - 1]}" if number % 10 else ""
    return ENGLISH_TENS[number // 10 - 2] + unit


def kiswahili(number: int) -> str:
    """Tens of thousands never come before bare units: those would be taken for thousands."""
    parts = []
    if number >= 1_000_000:
        return "milioni moja"
    if number >= 100_000:
        parts.append(f"laki {UNITS[number // 100_000 - 1]}")
        number %= 100_000
    if number >= 1_000:
        parts.append(f"elfu {_below_100(number // 1_000)}")
        number %= 1_000
    if number >= 100:
        parts.append(f"mia {UNITS[number // 100 - 1]}")
        number %= 100
    if number:
        parts.append(_below_100(number))
    return " na ".join(parts)


def _below_100(number: int) -> str:
    tens = TENS[number // 10 - 1] if number >= 10 else ""
    unit = UNITS[number % 10 - 1] if number % 10 else ""
    return " na ".join(part for part in (tens, unit) if part)


def _is_said_alike(number: int) -> bool:
    """*Elfu kumi na tano* is 15,000: 10,005 has no words of its own."""
    thousands, rest = number // 1_000 % 100, number % 1_000
    return not (0 < rest < 10 and thousands and thousands % 10 == 0)


NUMBERS = st.integers(1, MOST)


@given(number=NUMBERS, joined=st.sampled_from([" ", " and "]))
@example(number=MOST, joined=" ")
def test_english_words_are_read(number: int, joined: str) -> None:
    assert read_number_words(english(number, joined)) == number


@given(number=NUMBERS.filter(_is_said_alike))
@example(number=MOST)
@example(number=15_000)
def test_kiswahili_words_are_read(number: int) -> None:
    assert read_number_words(kiswahili(number)) == number


@given(text=st.text(max_size=40))
def test_what_is_read_is_within_bounds(text: str) -> None:
    number = read_number_words(text)
    assert number is None or 0 < number <= MOST
