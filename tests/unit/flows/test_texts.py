"""How texts are filled in, and how values look to people."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from flows.engine.texts import SHORT, Texts, format_value, placeholders
from services.domain.document import Period
from services.domain.money import Money
from services.domain.mpesa import Reason
from services.domain.phone import Phone
from services.domain.topup import TopUpState

TEXTS = Texts(
    {
        "en": {"plain": "Hello.", "sum": "{amount} from {phone}, {at}", "twice": "{a} {a} {b}"},
        "sw": {"plain": "Habari."},
    }
)


def test_placeholders_are_filled_with_values_as_people_read_them() -> None:
    facts = {
        "amount": Money(1_500_00),
        "phone": Phone("254712345678"),
        "at": datetime(2026, 3, 2, 6, 5, 59, 999_999, tzinfo=UTC),
    }
    assert TEXTS.say("en", "sum", facts) == "KES 1,500 from 0712 345 678, 2 Mar 2026, 09:05"


def test_a_sentence_without_placeholders_needs_no_facts() -> None:
    assert TEXTS.say("sw", "plain") == "Habari."


def test_facts_that_a_sentence_does_not_want_are_left_out() -> None:
    assert TEXTS.say("en", "plain", {"amount": Money(1)}) == "Hello."


def test_braces_in_a_value_are_only_text() -> None:
    assert TEXTS.say("en", "twice", {"a": "{b}", "b": "{0.__class__}"}) == "{b} {b} {0.__class__}"


@pytest.mark.parametrize(("key", "facts"), [("nosuch", {}), ("sum", {"amount": 1}), ("sum", None)])
def test_an_unknown_key_or_a_missing_fact_is_a_programmers_error(
    key: str, facts: dict[str, object] | None
) -> None:
    with pytest.raises(KeyError):
        TEXTS.say("en", key, facts)


def test_a_language_has_only_its_own_keys() -> None:
    assert (TEXTS.has("en", "sum"), TEXTS.has("sw", "sum")) == (True, False)
    assert TEXTS.languages == ["en", "sw"]


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 3, 1, 21, 0, tzinfo=UTC),
        datetime(2026, 3, 2, 0, 0, 59, tzinfo=timezone(timedelta(hours=3))),
        datetime(2026, 3, 1, 16, 0, 30, tzinfo=timezone(timedelta(hours=-5))),
    ],
)
def test_a_moment_is_shown_in_nairobi_time_wherever_it_was_taken(moment: datetime) -> None:
    assert format_value(moment, "en") == "2 Mar 2026, 00:00"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Money(1_500_00), "KES 1,500"),
        (Money(1_500_50), "KES 1,500.50"),
        (Phone("254110345678"), "0110 345 678"),
        ("as it is", "as it is"),
        (7, "7"),
    ],
)
def test_a_value_is_shown_in_its_own_form(value: object, shown: str) -> None:
    assert format_value(value, "en") == shown


@pytest.mark.parametrize(
    ("language", "first", "last", "shown"),
    [
        ("en", date(2026, 10, 1), date(2026, 10, 15), "1 Oct 2026 – 15 Oct 2026"),
        ("sw", date(2026, 10, 1), date(2026, 12, 15), "1 Okt 2026 – 15 Des 2026"),
        ("sw", date(2026, 8, 3), date(2026, 8, 3), "3 Ago 2026"),
    ],
)
def test_a_period_is_said_in_the_language(
    language: str, first: date, last: date, shown: str
) -> None:
    assert format_value(Period(first, last), language) == shown


def test_placeholders_are_found_once_each() -> None:
    assert placeholders("{a} and {b}, {a} {{not this}}") == {"a", "b"}
    assert placeholders("none") == set()


@pytest.mark.parametrize("sentence", ["KES {amount:,}", "{name!r}"])
def test_a_placeholder_with_a_format_is_refused(sentence: str) -> None:
    with pytest.raises(ValueError, match="has a format"):
        placeholders(sentence)


# The texts that are shipped

SHIPPED = Texts.load()


def test_english_is_shipped() -> None:
    assert "en" in SHIPPED.languages


@pytest.mark.parametrize("language", SHIPPED.languages)
def test_every_shipped_text_says_something_and_is_well_formed(language: str) -> None:
    for key, sentence in SHIPPED.keys(language).items():
        assert sentence.strip() or key.startswith(SHORT), key
        assert all(name.isidentifier() for name in placeholders(sentence)), key


@pytest.mark.parametrize("language", SHIPPED.languages)
def test_placeholders_are_the_same_in_every_language(language: str) -> None:
    english, other = (
        {
            key: placeholders(text)
            for key, text in SHIPPED.keys(said).items()
            if not key.startswith(SHORT)
        }
        for said in ("en", language)
    )
    assert other == english


@pytest.mark.parametrize("language", SHIPPED.languages)
@pytest.mark.parametrize("state", TopUpState)
def test_every_state_has_its_words(language: str, state: TopUpState) -> None:
    assert SHIPPED.has(language, f"status.{state}")
    assert SHIPPED.has(language, f"state.{state}")


@pytest.mark.parametrize("language", SHIPPED.languages)
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_its_words(language: str, reason: Reason) -> None:
    assert SHIPPED.has(language, f"reason.{reason}")
