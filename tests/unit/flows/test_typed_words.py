"""What people type is understood in either language, and long or odd lines are only read so far."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.catalogue import all_flows
from flows.engine.texts import Texts
from flows.engine.typed_words import TypedWords, tidy
from tests.kit.stub_chat import Chat

WORDS = TypedWords(all_flows(), Texts.load())


@pytest.mark.parametrize(
    ("text", "words", "values"),
    [
        ("topup", ("topup",), ""),
        ("Top-Up!", ("topup",), ""),
        ("weka pesa 500", ("topup",), "500"),
        ("hi, I want to top up 500", ("topup",), "500"),
        ("buy float: 5,000", ("float",), "5,000"),
        ("Salio.", ("balance",), ""),
        ("find Ws_CO_0103", ("find",), "Ws_CO_0103"),
        ("approvals", ("approve", "approvals"), ""),
    ],
)
def test_a_command_is_found_at_the_beginning(
    text: str, words: tuple[str, ...], values: str
) -> None:
    command = WORDS.command(text)
    assert command is not None
    assert (command.words, command.values) == (words, values)


@pytest.mark.parametrize("text", ["", "hello", "I want to", "an amount", "what is this", "500"])
def test_what_is_no_command_is_none(text: str) -> None:
    assert WORDS.command(text) is None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Cancel.", "cancel"),
        ("GHAIRI", "cancel"),
        (" rudi ", "back"),
        ("menyu", "menu"),
        ("?", "help"),
    ],
)
def test_navigation_is_understood_in_either_language(text: str, word: str) -> None:
    assert WORDS.navigation(tidy(text)) == word


def test_a_word_of_navigation_opens_nothing_else() -> None:
    for word in ("cancel", "back", "menu", "help"):
        assert WORDS.command(word) is None


@given(st.text(max_size=4096))
def test_any_line_is_read_and_tidying_twice_changes_nothing(text: str) -> None:
    WORDS.command(text)
    assert tidy(tidy(text)) == tidy(text)


@pytest.mark.parametrize("text", ["hi " * 1_365, "i want to " * 400, "topup " * 680, "1 " * 2_000])
def test_a_line_as_long_as_may_be_is_answered(text: str) -> None:
    chat = Chat()
    chat.command("menu")
    assert chat.say(text).screen is not None
