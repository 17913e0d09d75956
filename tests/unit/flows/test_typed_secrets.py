"""PINs and codes are found in what people type, and ordinary sentences are left alone."""

from __future__ import annotations

import pytest

from flows.engine.session import Frame, Session
from flows.engine.typed_secrets import find_code, is_pin, is_stray_code, may_be_secret
from flows.float import FLOAT
from flows.history import HISTORY
from flows.topup import TOPUP
from services.domain.ids import Reference

AT_MENU = Session()
WAITING = Session(active=Frame(TOPUP, "push", TOPUP.data(), waiting="TU-222222"))
PARKED = Session(parked={"topup": Frame(TOPUP, "push", TOPUP.data(), waiting="TU-222222")})
AT_AMOUNT = Session(
    active=Frame(TOPUP, "amount", TOPUP.data()),
    parked={"float": Frame(FLOAT, "buy", FLOAT.data(), waiting="FL-222222")},
)
AT_CODE = Session(
    active=Frame(FLOAT, "code", FLOAT.data.model_validate({"purchase": Reference("FL-222222")}))
)
CODE_ELSEWHERE = Session(
    active=Frame(HISTORY, "list", HISTORY.data()),
    parked={"float": Frame(FLOAT, "code", FLOAT.data())},
)


@pytest.mark.parametrize(
    "text",
    [
        "pin 4821",
        "PIN: 4821",
        "my pin is 4821",
        "pin4821",
        "p.i.n 4821",
        "my pin 4 8 2 1",
        "4821 is my pin",
        "4821 ndio pin",
        "Pin yangu ya mpesa ni 4821",
        "siri yangu ni 4821",
        "namba yangu ya siri ni 4821",
        "pin ４８２１",
        "please send it, my pin is 48-21 thanks",
    ],
)
def test_a_pin_that_says_so_is_one_everywhere(text: str) -> None:
    for session in (AT_MENU, WAITING, AT_AMOUNT, AT_CODE):
        assert is_pin(session, text)
        assert may_be_secret(session, text)


@pytest.mark.parametrize(
    "text", ["4821", "4821.", "4 8 2 1", "48-21", "４８２１", "ok 4821", "4821 👍", "( 4821 )"]
)
def test_four_digits_are_a_pin_while_a_payment_is_waited_for(text: str) -> None:
    assert is_pin(WAITING, text)
    assert is_pin(PARKED, text)
    assert not is_pin(AT_MENU, text)
    assert not is_pin(AT_AMOUNT, text)


@pytest.mark.parametrize(
    "text",
    [
        "1,500",
        "1500.50",
        "48215",
        "customer typed a wrong pin, 1500 came back",
        "PIN. Since 2026 we send receipts",
        "never type your pin here",
        "spinning 1500 tops",
        "0722 000 111",
        "topup 1500 from my number today",
    ],
)
def test_ordinary_words_are_no_pin(text: str) -> None:
    assert not is_pin(AT_MENU, text)
    assert not is_pin(WAITING, text)


@pytest.mark.parametrize(
    "text",
    [
        "797926",
        "797 926.",
        "797926 thanks",
        "code: 797926 (from SMS)",
        "Float KES 3,000 + fees 0 = 3,000 to B2C 4...187. Code 797926. Valid 10 min.",
        "float 797926",
    ],
)
def test_a_code_is_found_in_what_was_pasted(text: str) -> None:
    assert find_code(text) == "797926"
    assert may_be_secret(AT_CODE, text)
    assert not is_stray_code(AT_CODE, text)


@pytest.mark.parametrize("text", ["12345", "1234567", "111111 and 222222", "no code came"])
def test_what_has_no_code_or_two_is_none(text: str) -> None:
    assert find_code(text) is None


@pytest.mark.parametrize(
    "text", ["797926", "797 926", "79-79-26", "your code is 797926. Never share it"]
)
def test_a_code_that_nobody_asks_for_is_taken_away(text: str) -> None:
    assert is_stray_code(AT_MENU, text)
    assert is_stray_code(WAITING, text)


@pytest.mark.parametrize(
    "text", ["797926 please", "invite 797926", "my name 797926", "79.79.26", "797926 or 111111"]
)
def test_six_digits_are_a_code_while_one_is_waited_for(text: str) -> None:
    assert is_stray_code(CODE_ELSEWHERE, text)
    assert not is_stray_code(AT_MENU, text)


@pytest.mark.parametrize("text", ["150,000", "1500.50", "150000.00", "0722000111", "TU-797926"])
def test_amounts_and_phones_are_no_codes(text: str) -> None:
    assert not is_stray_code(AT_MENU, text)


def test_six_digits_are_an_amount_where_one_is_asked_for() -> None:
    assert not is_stray_code(AT_AMOUNT, "150000")
