"""Which typed text is a desk PIN, and which PINs are too easy."""

from __future__ import annotations

import pytest

from services.domain.desk_pin import Weakness, digest, find_weakness, read_pin
from services.domain.phone import Phone

OWN = Phone("254712345678")
PEPPER = b"a pepper that is kept outside"


@pytest.mark.parametrize(
    ("typed", "pin"),
    [
        ("2580", "2580"),
        (" 25803 ", "25803"),
        ("258036", "258036"),
        ("2580.", "2580"),
        ("my pin is 2580", "2580"),
        ("My PIN is: 2580.", "2580"),
        ("pin 2580", "2580"),
        ("PIN: 2580", "2580"),
        ("PIN yangu ni 2580", "2580"),
        ("pin mpya ni 2580", "2580"),
        ("0258", "0258"),
    ],
)
def test_a_pin_stands_alone_or_says_that_it_is_one(typed: str, pin: str) -> None:
    assert read_pin(typed) == pin


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "258",
        "2580367",
        "25 80",
        "2-5-8-0",
        "2,580",
        "25.80",
        "2580 2580",
        "2580 please",
        "it is 2580",
        "my M-PESA pin is 2580",
        "yes",
        "٢٥٨٠",
        "2580\n2580",
        "pin",
        " " * 60 + "2580",
        "2580" * 2_000,
    ],
)
def test_nothing_else_is_read_as_one(typed: str) -> None:
    assert read_pin(typed) is None


@pytest.mark.parametrize(
    ("pin", "why"),
    [
        ("1111", Weakness.SAME),
        ("000000", Weakness.SAME),
        ("1234", Weakness.RUN),
        ("4321", Weakness.RUN),
        ("345678", Weakness.RUN),
        ("7890", Weakness.RUN),
        ("0987", Weakness.RUN),
        ("1212", Weakness.PAIRS),
        ("121212", Weakness.PAIRS),
        ("70707", Weakness.PAIRS),
        ("1900", Weakness.YEAR),
        ("1987", Weakness.YEAR),
        ("2029", Weakness.YEAR),
        ("198705", Weakness.YEAR),
        ("051987", Weakness.YEAR),
        ("72001", Weakness.YEAR),
        ("0712", Weakness.NUMBER),
        ("5471", Weakness.NUMBER),
        ("45678", Weakness.RUN),
    ],
)
def test_a_pin_that_is_guessed_first_is_weak(pin: str, why: Weakness) -> None:
    assert find_weakness(pin, OWN) is why


@pytest.mark.parametrize("pin", ["6034", "5603", "75603", "010756", "560342"])
def test_what_stands_in_the_own_number_is_weak(pin: str) -> None:
    assert find_weakness(pin, Phone("254107560342")) is Weakness.NUMBER
    assert find_weakness(pin, OWN) is None


@pytest.mark.parametrize("pin", ["2580", "1357", "2030", "1899", "74063", "258036", "902135"])
def test_any_other_pin_may_be_chosen(pin: str) -> None:
    assert find_weakness(pin, OWN) is None


def test_the_same_pin_of_two_people_is_stored_differently() -> None:
    assert digest(PEPPER, 1, "2580") != digest(PEPPER, 2, "2580")
    assert digest(PEPPER, 1, "2580") != digest(b"another pepper", 1, "2580")
    assert digest(PEPPER, 1, "2580") == digest(PEPPER, 1, "2580")
    assert "2580" not in digest(PEPPER, 1, "2580")
