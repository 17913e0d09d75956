"""What a payer typed, told apart from our own account number, and what of ours it may name."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain import payment_purpose
from services.domain.ids import ALPHABET

OURS = ("774451", "880100", "PAY100D")


@pytest.mark.parametrize(
    "said",
    [
        "774451#UMOJA",
        "774451 # umoja",
        "774451-UMOJA",
        "774451 umoja",
        "774451umoja",
        "774451#774451 umoja",
        "umoja774451",
        "UMOJA 774451",
        "880100 774451 umoja",
        "umoja ",
        " Umoja.",
        "\u200bumoja\u2060",
        "ＵＭＯＪＡ",
        "#umoja#",
        "u.m.o.j.a",
        "PAY100D#umoja",
    ],
)
def test_a_partners_code_is_read_as_people_type_it(said: str) -> None:
    assert payment_purpose.partners(payment_purpose.typed([said], OURS)) == ["UMOJA"]


@pytest.mark.parametrize(
    "said",
    [
        "TU-7K3QF9",
        "tu 7k3qf9",
        "TU7K3QF9",
        "774451#tu-7k3qf9",
        "774451TU7K3QF9",
        "774451 tu 7k3 qf9",
        "rent, tu-7k3qf9",
        "TU-7K3QF9 thanks",
        "774451#SHOPTU7K3QF9",
        "PAY100D#TU7K3QF9",
    ],
)
def test_a_top_ups_reference_is_read_as_people_type_it(said: str) -> None:
    assert payment_purpose.topups(payment_purpose.typed([said], OURS)) == ["TU-7K3QF9"]


@pytest.mark.parametrize("said", ["TU-7K3QF9X", "TU-7K3QF", "TU-7K3QF0", "7K3QF9", "STATUE 22"])
def test_what_only_looks_like_a_reference_is_none(said: str) -> None:
    assert payment_purpose.topups(payment_purpose.typed([said], OURS)) == []


@pytest.mark.parametrize(
    "said", ["774451", " 774451 ", "774451#", "#774451", "880100#774451", "pay100d", "", " ", "-"]
)
def test_our_account_alone_is_nothing_that_was_typed(said: str) -> None:
    assert payment_purpose.typed([said, said], OURS) == ""


@pytest.mark.parametrize(
    ("fields", "typed"),
    [
        (("774451", "UMOJA"), "UMOJA"),
        (("774451#UMOJA", "umoja"), "UMOJA"),
        (("FINSAFE", "rent for May"), "FINSAFE#RENT FOR MAY"),
        (("774452",), "774452"),  # another account number is not one of our words
        (("школа",), "ШКОЛА"),
        (("N/A",), "N A"),
    ],
)
def test_what_each_field_says_stays_apart(fields: Sequence[str], typed: str) -> None:
    assert payment_purpose.typed(fields, OURS) == typed


def test_a_partners_code_among_other_words_is_not_looked_for() -> None:
    assert "SCHOOL" not in payment_purpose.partners(payment_purpose.typed(["school fees"], OURS))


def test_words_that_a_short_number_of_ours_begins_are_left_whole() -> None:
    assert payment_purpose.typed(["12SHOP"], ["12"]) == "12SHOP"


@given(
    drawn=st.text(ALPHABET, min_size=6, max_size=6),
    marks=st.lists(
        st.sampled_from((" ", "-", ".", "", "\u200b", "_", "/")), min_size=3, max_size=3
    ),
    upper=st.booleans(),
    account=st.sampled_from(("", "774451", "880100 774451")),
)
def test_a_reference_is_found_behind_any_marks(
    drawn: str, marks: list[str], upper: bool, account: str
) -> None:
    said = f"{account}{marks[0]}TU{marks[1]}{drawn}{marks[2]}"
    typed = payment_purpose.typed([said if upper else said.lower()], OURS)
    assert f"TU-{drawn}" in payment_purpose.topups(typed)


@given(st.text(max_size=40), st.text(max_size=40))
def test_reading_never_fails_and_reading_it_again_says_the_same(one: str, other: str) -> None:
    typed = payment_purpose.typed([one, other], OURS)
    assert payment_purpose.typed([typed], OURS) == typed
    payment_purpose.topups(typed)
    payment_purpose.partners(typed)


@pytest.mark.parametrize(("number", "left"), [("54321", "TUSK"), ("4321", "4321TUSK")])
def test_a_number_of_ours_is_taken_off_a_word_from_five_digits_on(number: str, left: str) -> None:
    assert payment_purpose.typed([f"{number}tusk"], [number]) == left
