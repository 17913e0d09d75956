"""What is kept of a session that has ended, and what is not (facts: USSD 3)."""

from __future__ import annotations

import pytest

from bot.http.ussd.africas_talking import AfricasTalking
from bot.http.ussd.africas_talking_events import ERROR_MAX
from services.domain.ussd import UssdEvent
from tests.kit.ussd_requests import CODE, EVENT, PHONE, SESSION, body

GATEWAY = AfricasTalking([CODE])
READ = UssdEvent(
    "africas_talking", SESSION, "2547*****001", "63902", CODE, "success", 4, 41_250, 10, None
)


def read(**changes: str | None) -> UssdEvent | None:
    return GATEWAY.read_event(body(EVENT, **changes))


def test_an_event_is_read_without_the_whole_number() -> None:
    assert read() == READ
    assert PHONE not in str(read())


def test_what_was_typed_is_not_kept() -> None:
    for changes in ({}, {"errorMessage": "no answer to 2*500*482913"}):
        assert "482913" not in str(read(**changes))


@pytest.mark.parametrize(
    ("said", "status"),
    [("Success", "success"), ("Incomplete", "incomplete"), ("Failed", "failed")],
)
def test_how_it_ended_is_one_of_three(said: str, status: str) -> None:
    assert read(status=said) == READ._replace(status=status)


@pytest.mark.parametrize("said", [None, "", "success", "Done", "Success "])
def test_an_end_that_is_not_known_is_refused(said: str | None) -> None:
    assert read(status=said) is None


@pytest.mark.parametrize(
    ("cost", "cents"),
    [
        ("KES 0.10", 10),
        ("KES 1", 100),
        ("KES 0", 0),
        ("KES 1.5", 150),
        ("KES 0.8000", 80),
        ("KES 0.1049", 10),
        ("KES 0.105", 11),
        ("KES 0.1050", 11),
        ("KES 0.9999", 100),
        ("KES 9999999.99", 999_999_999),
        ("", 0),
        (None, 0),
    ],
)
def test_a_cost_is_in_cents_with_a_half_rounded_up(cost: str | None, cents: int) -> None:
    assert read(cost=cost) == READ._replace(cost_cents=cents)


@pytest.mark.parametrize(
    "cost",
    ["0.10", "KES", "KES ", "KES -1", "KES 1e3", "USD 0.10", "KES 0.10001", "KES 12345678",
     "KES 1,000.00", "KES ١", "kes 1", "KES 1."],
)  # fmt: skip
def test_a_cost_that_cannot_be_read_is_not_guessed(cost: str) -> None:
    assert read(cost=cost) is None


@pytest.mark.parametrize("name", ["hopsCount", "durationInMillis"])
@pytest.mark.parametrize("count", ["-1", "1.5", "a few", "1" * 10, "٤"])
def test_a_count_that_cannot_be_read_is_not_guessed(name: str, count: str) -> None:
    assert read(**{name: count}) is None


@pytest.mark.parametrize("count", [None, ""])
def test_a_count_that_is_missing_is_none_at_all(count: str | None) -> None:
    event = read(hopsCount=count, durationInMillis=count)
    assert event == READ._replace(hops=0, duration_ms=0)


@pytest.mark.parametrize(
    "changes",
    [
        {"sessionId": None},
        {"sessionId": "é"},
        {"phoneNumber": "0700000001"},
        {"serviceCode": "*999#"},
    ],
)
def test_an_event_of_no_session_of_ours_is_refused(changes: dict[str, str | None]) -> None:
    assert read(**changes) is None


def test_the_registered_code_is_kept_and_not_what_was_dialled_behind_it() -> None:
    assert read(serviceCode="*384*7*1*500#") == READ


def test_a_field_that_comes_twice_is_refused() -> None:
    assert GATEWAY.read_event(body(EVENT) + b"&status=Failed") is None


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("", None),
        ("Timed out", "Timed out"),
        ("HTTP 500 from the callback", "HTTP 500 from the callback"),
        ("no answer to *384*7*1*500*4829#", "no answer to *384*7*1*500*#"),
        ("for +254700000001\r\nand\u202e ١٢٣٤", "for + and"),
        (f"https://desk.example/ussd/{'s3-_' * 8} says 502", "https://desk.example/ussd/ says 502"),
        ("4829", None),
        ("no " * 100, ("no " * 100)[:ERROR_MAX].strip()),
    ],
    ids=["none", "words", "a-status", "a-pin", "a-number", "our-address", "a-pin-alone", "long"],
)
def test_an_error_keeps_its_words_and_nothing_secret(said: str, kept: str | None) -> None:
    assert read(errorMessage=said) == READ._replace(error=kept)


def test_a_secret_that_reaches_over_the_end_is_not_cut_but_left_out() -> None:
    event = read(errorMessage="no " * 65 + "s" * 32)
    assert event is not None
    assert event.error is not None
    assert "sss" not in event.error
