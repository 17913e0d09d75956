"""Pasted text is read as it looks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.engine.event import EventKind, from_text
from flows.engine.normalise import normalise_input
from flows.parsers.values import read_mobile
from services.domain.otp import read_code
from services.domain.phone import Phone


@pytest.mark.parametrize(
    "pasted",
    [
        "\u202a+254 733 345 678\u202c",  # from contacts, in a right-to-left text
        "\u2068+254733345678\u2069",  # from one of our own messages
        "\u200e0733\u200b345\u200b678",
        "+254\u00a0733\u00a0345\u00a0678",
        "+254\u202f733\u2009345\u2007678",  # narrow, thin and figure spaces
        "0733\t345\t678",
        "0733\u2011345\u2011678",
        "0733\u2013345\u2012678",
        "\ufeff0733\u00ad345678\n",
        "\uff0b254 733 345 678",
        "0733345678\ufe0f",
        "\u202d\u200d0733345678\u202c\u0000",
    ],
)
def test_a_number_is_a_number_whatever_stands_unseen_around_it(pasted: str) -> None:
    assert read_mobile(normalise_input(pasted)) == Phone("254733345678")


def test_a_code_and_a_command_are_what_they_look_like() -> None:
    assert read_code(normalise_input("\u202a123\u2009456\u202c")) == "123456"
    event = from_text("terminal", "1", "e", "\u200e/topup \u202a1500\u202c", "m")
    assert (event.kind, event.text, event.argument) == (EventKind.COMMAND, "topup", "1500")
    assert from_text("terminal", "1", "e", "\ufeffcancel", "m").text == "cancel"


@pytest.mark.parametrize("digits", ["\u0661\u0665\u0660\u0660", "\uff11\uff15\uff10\uff10"])
def test_digits_of_another_script_stay_what_they_are(digits: str) -> None:
    assert normalise_input(digits) == digits


@pytest.mark.parametrize(
    "words",
    [
        "two\nlines, and an é",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",  # a family emoji is joined from several
        "\u2764\ufe0f",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian spelling uses a joiner
        "\u6c49\uff0c\u5b57",
    ],
)
def test_words_of_every_script_keep_their_lines_and_letters(words: str) -> None:
    assert normalise_input(words) == words


@given(st.text())
def test_tidied_once_is_tidy_and_what_is_plain_stays(text: str) -> None:
    once = normalise_input(text)
    assert normalise_input(once) == once
    assert "".join(char for char in once if char.isascii() and char.isalnum()) == "".join(
        char for char in text if char.isascii() and char.isalnum()
    )
