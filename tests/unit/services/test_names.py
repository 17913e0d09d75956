"""A name consists of its visible characters, and names that look alike are recognised as such."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.names import NAME_MAX, is_name, lookalike_key, tidy

UNSEEN = [
    "\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u202a", "\u202e", "\u2060", "\u2066",
    "\u2069", "\ufeff", "\u00ad", "\u034f", "\u061c", "\u115f", "\u180e", "\u3164", "\ufe0f",
    "\uffa0", "\U000e0041", "\U000e0100", "\x00", "\x7f", "\x9f",
]  # fmt: skip


@pytest.mark.parametrize("char", UNSEEN, ids=lambda char: f"U+{ord(char):04X}")
def test_what_is_not_seen_is_no_part_of_a_name(char: str) -> None:
    assert tidy(f"{char}ami{char}na{char}") == "amina"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Mary \t Jane\n", "Mary Jane"),
        ("Mary\u00a0\u2003Jane", "Mary Jane"),
        ("Mary \u200b Jane", "Mary Jane"),
        ("\uff21\uff4d\uff49\uff4e\uff41", "Amina"),
        ("Ng\u2019ang\u02bca", "Ng'ang'a"),
        ("Ng`ang\u00b4a", "Ng'ang'a"),
        ("Ann\u2011Marie\u2013Lou", "Ann-Marie-Lou"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("\ufb01fi", "fifi"),
    ],
)
def test_a_name_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert tidy(typed) == kept


@given(st.text(max_size=60))
def test_what_is_tidy_stays_as_it_is_and_shows_all_it_has(text: str) -> None:
    tidied = tidy(text)
    assert tidy(tidied) == tidied
    assert not {unicodedata.category(char) for char in tidied} & {"Cc", "Cf"}


@pytest.mark.parametrize(
    "name", ["amina", "O'Neill", "J. Oke-Otieno 2", "Wanjir\u0169", "a_b", "Zo\u00eb"]
)
def test_a_name_is_of_latin_letters(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "text",
    [
        "", "7up", "'amina", "\u0430mina", "am\u0456na", "\u0391mina", "\u0250mina", "am\u0131na",
        "amina\u0338", "a\u0301\u0301b", "amina!", "amina, viewer", "amin\u0661", "<b>", "\u2800",
        "\u65e5\u672c", "amina\U0001f600", "a" * (NAME_MAX + 1),
    ],
)  # fmt: skip
def test_what_is_none_is_told_apart(text: str) -> None:
    assert not is_name(text)


@pytest.mark.parametrize(
    "other",
    [
        "AMINA",
        "Amina",
        "\u00e1m\u00ecna",
        "am1na",
        "amIna",
        "amlna",
        "a mina",
        "a.m-i'n_a",
        "am\u200bina",
    ],
)
def test_names_that_can_be_taken_for_each_other_look_the_same(other: str) -> None:
    assert lookalike_key(other) == lookalike_key("amina")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("amina", "arnina"),
        ("amina", "ar nina"),
        ("Wambui", "VVambui"),
        ("evwa", "ewva"),
        ("Claude", "Daude"),
        ("David", "C1avicl"),
        ("James 5", "James S"),
        ("Bob", "Bo8"),
        ("Zoe 2", "Zoe Z"),
    ],
)
def test_letters_that_together_look_like_another_are_taken_for_it(one: str, other: str) -> None:
    assert lookalike_key(one) == lookalike_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("amina", "aminah"), ("amina 2", "amina 3"), ("p10", "p11"), ("Otieno", "Otiena")],
)
def test_names_that_differ_to_the_eye_do_not(one: str, other: str) -> None:
    assert lookalike_key(one) != lookalike_key(other)


@given(st.text(alphabet="abc01liIO .'-", min_size=1, max_size=20), st.sampled_from(UNSEEN))
def test_no_unseen_character_makes_another_look(name: str, char: str) -> None:
    assert lookalike_key(name.replace("", char)) == lookalike_key(name)
