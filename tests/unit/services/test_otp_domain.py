"""Codes as values: what counts as one, what its digest depends on, and how it is drawn."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.money import Money
from services.domain.otp import (
    CHECKS_MAX,
    CODE_LIMITS,
    LIFE,
    SENDS_MAX,
    Binding,
    Otp,
    OtpStatus,
    Purpose,
    digest,
    draw_code,
    read_code,
    same,
)
from services.domain.phone import Phone

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
PEPPER = b"p" * 32
BINDING = Binding(Purpose.FLOAT_PURCHASE, "FL-7K3QF9", "DEMO", 7, Money(5_015_000), "4123187")


# Reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "123456",
        " 123456",
        "123456\n",
        "\t123456 ",
        "123 456",
        "1 2 3 4 5 6",
        "123-456",
        "12-34-56",
        "123–456",
        "123.456",
        "123456.",
        "code 123456",
        "code is 123456",
        "The code is: 123 456",
        "Code:123456",
        "OTP 123456",
        "msimbo ni 123-456",
        "123\u00a0456",
        "123  456",
    ],
)
def test_a_code_is_read_however_it_is_spaced(typed: str) -> None:
    assert read_code(typed) == "123456"


def test_leading_zeroes_are_digits() -> None:
    assert read_code("000 042") == "000042"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "-",
        "12345",
        "1234567",
        "12 345",
        "1234 567",
        "12345a",
        "a123456",
        "123456a",
        "code is 12345",
        "is 123456",
        "123456 is the code",
        "O12345",
        "123,456",
        "123/456",
        "123_456",
        "+123456",
        "123\n456",
        "123\x00456",
        "１２３４５６",
        "١٢٣٤٥٦",
        "12345²",
        "१२३४५६",
        "12345\u0660",
        "123456 123456",
        "1" * 10_240,
        " " * 10_240,
        "123456" + " " * 10_240,
        "- " * 5_120,
    ],
)
def test_what_is_no_code_is_not_read(typed: str) -> None:
    assert read_code(typed) is None


@given(st.text(max_size=30))
def test_whatever_is_read_is_six_plain_digits(typed: str) -> None:
    code = read_code(typed)
    assert code is None or (len(code) == 6 and code.isascii() and code.isdigit())


@given(st.integers(0, 999_999))
def test_every_code_is_read_as_it_was_sent(number: int) -> None:
    assert read_code(f"{number:06d}") == f"{number:06d}"


# The digest ---------------------------------------------------------------------------------

CHANGED: dict[str, object] = {
    "purpose": Purpose.DISBURSEMENT,
    "operation": "FL-7K3QF8",
    "partner": "DEMP",
    "person_id": 8,
    "amount": Money(5_015_001),
    "destination": "4123188",
}


def test_every_part_of_the_binding_has_another_to_try() -> None:
    assert set(CHANGED) == {field.name for field in fields(Binding)}


@pytest.mark.parametrize("part", CHANGED)
def test_the_digest_hangs_on_each_part_of_the_binding(part: str) -> None:
    other = replace(BINDING, **{part: CHANGED[part]})  # type: ignore[arg-type]
    assert digest(PEPPER, "OT-1", other, "123456") != digest(PEPPER, "OT-1", BINDING, "123456")


def test_the_digest_hangs_on_the_currency() -> None:
    other = replace(BINDING, amount=Money(BINDING.amount.cents, "USD"))
    assert digest(PEPPER, "OT-1", other, "123456") != digest(PEPPER, "OT-1", BINDING, "123456")


@pytest.mark.parametrize(
    ("pepper", "otp_id", "code"),
    [(b"q" * 32, "OT-1", "123456"), (PEPPER, "OT-2", "123456"), (PEPPER, "OT-1", "123457")],
    ids=["pepper", "id", "code"],
)
def test_the_digest_hangs_on_pepper_id_and_code(pepper: bytes, otp_id: str, code: str) -> None:
    assert digest(pepper, otp_id, BINDING, code) != digest(PEPPER, "OT-1", BINDING, "123456")


def test_the_digest_hangs_on_the_version_of_its_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    before = digest(PEPPER, "OT-1", BINDING, "123456")
    monkeypatch.setattr("services.domain.otp.BINDING_VERSION", 2)
    assert digest(PEPPER, "OT-1", BINDING, "123456") != before


def test_the_same_is_digested_to_the_same() -> None:
    twin = replace(BINDING)
    assert same(digest(PEPPER, "OT-1", twin, "123456"), digest(PEPPER, "OT-1", BINDING, "123456"))


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_two_bindings_read_the_same(operation: str, destination: str) -> None:
    """No content of one part can be mistaken for the end of another."""
    other = replace(BINDING, operation=operation, destination=destination)
    swapped = replace(BINDING, operation=destination, destination=operation)
    assert (other.canonical() == swapped.canonical()) == (operation == destination)


def test_the_canonical_form_is_pinned_since_stored_digests_lean_on_it() -> None:
    assert BINDING.canonical() == (
        '{"amount":5015000,"currency":"KES","destination":"4123187","operation":"FL-7K3QF9",'
        '"partner":"DEMO","person":7,"purpose":"float_purchase"}'
    )


def test_a_digest_does_not_hold_the_code() -> None:
    assert "123456" not in digest(PEPPER, "OT-1", BINDING, "123456")


# Drawing ------------------------------------------------------------------------------------


class Fixed:
    """A ``services.domain.ids.RandomSource`` that draws preset numbers."""

    def __init__(self, *numbers: int) -> None:
        self.numbers: Iterator[int] = iter(numbers)
        self.stops: list[int] = []

    def randrange(self, stop: int, /) -> int:
        self.stops.append(stop)
        return next(self.numbers)


@pytest.mark.parametrize(
    ("drawn", "code"), [(0, "000000"), (7, "000007"), (99_999, "099999"), (999_999, "999999")]
)
def test_a_code_is_padded_with_zeroes(drawn: int, code: str) -> None:
    assert draw_code(Fixed(drawn)) == code


def test_a_code_is_drawn_once_from_a_million() -> None:
    drawer = Fixed(1)
    draw_code(drawer)
    assert drawer.stops == [1_000_000]


def test_codes_come_from_the_whole_range() -> None:
    drawer = random.Random(7)
    codes = [draw_code(drawer) for _ in range(5_000)]
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    assert {code[0] for code in codes} == set("0123456789")


# Waiting times and attempts -----------------------------------------------------------------


def otp(sent: int = 1, attempts: int = 0) -> Otp:
    return Otp(
        id="OT-1",
        binding=BINDING,
        phone=Phone("254712345678"),
        pepper_id="1",
        digest="",
        status=OtpStatus.PENDING,
        attempts=attempts,
        sent=sent,
        created_at=START,
        expires_at=START + LIFE,
    )


@pytest.mark.parametrize(("sent", "seconds"), [(1, 30), (2, 60), (3, 120)])
def test_the_wait_for_another_doubles(sent: int, seconds: int) -> None:
    assert otp(sent=sent).resend_at == START + timedelta(seconds=seconds)


@pytest.mark.parametrize(("attempts", "left"), [(0, 3), (1, 2), (2, 1), (3, 0)])
def test_the_tries_left_are_counted_down(attempts: int, left: int) -> None:
    assert otp(attempts=attempts).tries_left == left


def test_the_rules_are_those_of_the_facts() -> None:
    assert (3, 3, timedelta(minutes=10)) == (CHECKS_MAX, SENDS_MAX, LIFE)


def test_raised_limits_are_all_raised() -> None:
    raised = CODE_LIMITS.times(10)
    for quotas in (raised.partner, raised.phone, raised.account, raised.reserved):
        assert all(most in (20, 50, 100, 150) for _, most in quotas)
    assert raised.wrong == 10 * CODE_LIMITS.wrong
    assert CODE_LIMITS.times(1) == CODE_LIMITS
