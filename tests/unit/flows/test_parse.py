"""Amounts and phones as people type them: read, or refused with the reason."""

from __future__ import annotations

import time
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.engine.event import TEXT_LIMIT
from flows.engine.host import Host
from flows.engine.texts import Texts, placeholders
from flows.parsers.values import TYPED_MAX, Amount, KenyanMobile
from services.domain.money import Money
from services.domain.phone import Phone
from services.domain.refusal import Refusal

LEAST, MOST = Money(100), Money(250_000_00)
AMOUNT, MOBILE = Amount("topup"), KenyanMobile()
PARSE_MS_MAX = 50.0  # normally microseconds; a pattern that backtracks badly takes seconds


class Limited:
    """The part of a host that a parser needs."""

    def __init__(self, least: Money = LEAST, most: Money = MOST) -> None:
        self._limits = least, most

    def limits(self, name: str) -> tuple[Money, Money]:
        assert name == "topup"
        return self._limits


HOST = cast("Host", Limited())


def amount(text: str, host: Host = HOST) -> Money | Refusal:
    return AMOUNT(text, host)


def refused(result: object) -> str:
    assert isinstance(result, Refusal), f"read as {result}"
    return result.code


# Amounts


@pytest.mark.parametrize(
    "text",
    [
        "1500",
        "1,500",
        "1500.00",
        "1500.0",
        "1,500.00",
        "KES 1,500",
        "kes1500",
        "KES. 1500",
        "ksh1500",
        "Ksh 1,500",
        "KSHS. 1500",
        "sh 1500",
        "Shs1500",
        "1.5k",
        "1.5K",
        "1.50k",
        "1.500k",
        "ksh 1.5k",
        "1500/-",
        "1,500/=",
        "Ksh 1,500/-",
        "  1500\n",
        "1 500",
        "KES 1 500",
        "1500.",
        "1500 bob",
        "1,500 shillings",
        "one thousand five hundred",
        "Fifteen hundred",
        "ksh elfu moja mia tano",
        "elfu moja na mia tano",
        "shilingi elfu 1 mia 5",
    ],
)
def test_every_way_of_writing_fifteen_hundred(text: str) -> None:
    assert amount(text) == Money(1_500_00)


@pytest.mark.parametrize(
    ("text", "shillings"),
    [("1", 1), ("250000", 250_000), ("250,000", 250_000), ("250k", 250_000), ("0.5k", 500)],
)
def test_amounts_at_and_between_the_limits(text: str, shillings: int) -> None:
    assert amount(text) == Money(shillings * 100)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1500.50", "part_shillings"),
        ("0.1", "part_shillings"),
        ("1.5", "part_shillings"),
        ("1.5001k", "not_an_amount"),
        ("1.0005k", "not_an_amount"),
        ("0.0k", "below_minimum"),
        ("0", "below_minimum"),
        ("0.00", "below_minimum"),
        ("000", "below_minimum"),
        ("250001", "above_maximum"),
        ("251k", "above_maximum"),
        ("9" * 39, "above_maximum"),
        ("-5", "negative"),
        ("-0", "negative"),
        ("KES -1,500", "negative"),
        ("−1500", "negative"),
        ("–1500", "negative"),
        ("15,00", "misplaced_comma"),
        ("1,5", "misplaced_comma"),
        ("1,500,00", "misplaced_comma"),
        ("1500,000", "misplaced_comma"),
        ("1,,500", "misplaced_comma"),
        ("1,500,", "misplaced_comma"),
        ("1,5k", "misplaced_comma"),
        ("1 50", "blank_in_amount"),
        ("1\t500", "blank_in_amount"),
        ("1\u00a0500", "blank_in_amount"),
        ("1500 000", "blank_in_amount"),
        ("1 500,000", "blank_in_amount"),
        ("0712", "not_an_amount"),
        ("01500", "not_an_amount"),
        ("0712345678", "not_an_amount"),
        ("15\n00", "blank_in_amount"),
        ("1.500", "not_an_amount"),
        (",500", "not_an_amount"),
        ("1500..", "not_an_amount"),
        ("1.5.0", "not_an_amount"),
        ("1e3", "not_an_amount"),
        ("1E3", "not_an_amount"),
        ("1500e0", "not_an_amount"),
        ("0x10", "not_an_amount"),
        ("1_500", "not_an_amount"),
        ("+1500", "not_an_amount"),
        ("--5", "not_an_amount"),
        ("1500 USD", "not_an_amount"),
        ("$1500", "not_an_amount"),
        ("five five", "not_an_amount"),
        ("elfu", "not_an_amount"),
        ("a", "not_an_amount"),
        ("two million", "not_an_amount"),
        ("nan", "not_an_amount"),
        ("Infinity", "not_an_amount"),
        ("1.5m", "not_an_amount"),
        ("½", "not_an_amount"),
        ("/-", "not_an_amount"),
        ("KES", "not_an_amount"),
        ("", "not_an_amount"),
        ("   ", "not_an_amount"),
        ("1500; DROP TABLE people", "not_an_amount"),
        ("9" * (TYPED_MAX + 1), "not_an_amount"),
        ("١٥٠٠", "plain_digits"),
        ("1５00", "plain_digits"),
        ("१५००", "plain_digits"),
        ("15²", "plain_digits"),
    ],
)
def test_what_is_not_a_right_amount_is_refused_with_its_reason(text: str, code: str) -> None:
    assert refused(amount(text)) == code


def test_the_limits_are_those_in_force() -> None:
    host = cast("Host", Limited(Money(50_00), Money(70_00)))
    assert amount("50", host) == Money(50_00)
    assert amount("70", host) == Money(70_00)
    assert amount("49", host) == Refusal.of("below_minimum", minimum=Money(50_00))
    assert amount("71", host) == Refusal.of("above_maximum", maximum=Money(70_00))


# Phones


@pytest.mark.parametrize(
    ("text", "msisdn"),
    [
        ("0712345678", "254712345678"),
        ("0712 345 678", "254712345678"),
        ("0712-345-678", "254712345678"),
        ("(0712) 345.678", "254712345678"),
        ("712345678", "254712345678"),
        ("254712345678", "254712345678"),
        ("+254712345678", "254712345678"),
        ("+254 712 345 678", "254712345678"),
        ("00254712345678", "254712345678"),
        ("  0712345678 ", "254712345678"),
        ("0110345678", "254110345678"),
        ("110345678", "254110345678"),
        ("+254 110 345678", "254110345678"),
        ("0733123456", "254733123456"),
        ("0771234567", "254771234567"),
    ],
)
def test_every_form_of_a_kenyan_mobile(text: str, msisdn: str) -> None:
    assert MOBILE(text, HOST) == Phone(msisdn)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0202222222", "not_a_kenyan_mobile"),  # a landline in Nairobi
        ("0800723253", "not_a_kenyan_mobile"),  # toll-free
        ("+255712345678", "not_a_kenyan_mobile"),  # Tanzania
        ("+447911123456", "not_a_kenyan_mobile"),
        ("07123456", "not_a_kenyan_mobile"),
        ("07123456789", "not_a_kenyan_mobile"),
        ("0", "not_a_phone"),
        ("+", "not_a_phone"),
        ("", "not_a_phone"),
        ("...", "not_a_phone"),
        ("Amina", "not_a_phone"),
        ("0712x345678", "not_a_phone"),
        ("0712345678 ext 5", "not_a_phone"),
        ("0712345678;0712345679", "not_a_phone"),
        ("0712\n345678", "not_a_phone"),
        ("0712345678" * 5, "not_a_phone"),
        ("٠٧١٢٣٤٥٦٧٨", "plain_digits"),
        ("0712345６78", "plain_digits"),
    ],
)
def test_what_is_no_kenyan_mobile_is_refused_with_its_reason(text: str, code: str) -> None:
    assert refused(MOBILE(text, HOST)) == code


# Any text

WORDS = ("KES", "ksh", "k", "/-", "1", "500", "1,500", "00", "+254", "254", "07", "712", "345")
MARKS = (",", ".", "-", "−", "e3", "٥", "½", "(", ")", " ", "\n", "\u00a0", "\x00", "ẞ", "İ")
PIECES = st.sampled_from(WORDS + MARKS)
ANYTHING = st.text(max_size=60) | st.lists(PIECES, max_size=12).map("".join)


def test_every_sentence_of_a_refusal_is_there_with_its_facts() -> None:
    """Each code that the parsers can return has a text with the right placeholders."""
    texts = Texts.load()
    with_a_fact = {"below_minimum": {"minimum"}, "above_maximum": {"maximum"}}
    for language in texts.languages:
        for code in CODES:
            wanted = placeholders(texts.keys(language)[f"refusal.{code}"])
            assert wanted == with_a_fact.get(code, set()), code


AMOUNT_CODES = {
    "not_an_amount",
    "plain_digits",
    "blank_in_amount",
    "misplaced_comma",
    "negative",
    "part_shillings",
    "below_minimum",
    "above_maximum",
}
PHONE_CODES = {"plain_digits", "not_a_phone", "not_a_kenyan_mobile"}
CODES = AMOUNT_CODES | PHONE_CODES


@settings(deadline=None)
@given(ANYTHING)
def test_any_text_is_an_amount_in_whole_shillings_within_the_limits_or_refused(text: str) -> None:
    result = amount(text)
    if isinstance(result, Refusal):
        assert result.code in AMOUNT_CODES
    else:
        assert result.is_whole
        assert LEAST <= result <= MOST


@settings(deadline=None)
@given(ANYTHING)
def test_any_text_is_a_phone_or_refused(text: str) -> None:
    result = MOBILE(text, HOST)
    assert isinstance(result, Phone) or result.code in PHONE_CODES


@given(st.integers(min_value=1, max_value=250_000))
def test_what_we_write_we_read(shillings: int) -> None:
    money = Money(shillings * 100)
    assert amount(str(money)) == amount(f"{shillings}") == amount(money.decimal) == money


@given(st.from_regex(r"(7[0-9]{2}|1[01][0-9])[0-9]{6}", fullmatch=True))
def test_a_phone_that_is_read_is_read_from_its_own_words_again(national: str) -> None:
    phone = MOBILE(national, HOST)
    if isinstance(phone, Phone):
        assert phone.msisdn == f"254{national}"
        assert MOBILE(str(phone), HOST) == MOBILE(f"+{phone.msisdn}", HOST) == phone


@pytest.mark.parametrize(
    "piece", ["1", ",", "1,", "1 ", " ", "-", "+", "(", "9.", "kes ", "٥", "x"]
)
@pytest.mark.parametrize("parse", [AMOUNT, MOBILE])
def test_the_longest_text_is_refused_fast(parse: Amount | KenyanMobile, piece: str) -> None:
    text = (piece * TEXT_LIMIT)[:TEXT_LIMIT]
    began = time.process_time()
    result = parse(text, HOST)
    took_ms = (time.process_time() - began) * 1000
    assert isinstance(result, Refusal)
    assert took_ms < PARSE_MS_MAX
