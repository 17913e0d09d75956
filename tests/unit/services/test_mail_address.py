"""Mail addresses as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.parsers.values import LOCAL_MAX, MAIL_MAX, MailAddress
from services.domain.refusal import Refusal
from tests.kit.stub_chat import StubHost


def read(text: str) -> object:
    return MailAddress()(text, StubHost())


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("amina@example.com", "amina@example.com"),
        ("  Amina.W+shop@Shop.Example.CO.KE ", "Amina.W+shop@shop.example.co.ke"),
        ("x@a-b.example", "x@a-b.example"),
    ],
)
def test_an_address_is_read(typed: str, expected: str) -> None:
    assert read(typed) == expected


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "amina",
        "@example.com",
        "amina@",
        "amina@example",
        "amina@@example.com",
        "amina@-a.example",
        "amina@exam ple.com",
        "a..b@example.com",
        ".a@example.com",
        "a.@example.com",
        '"a b"@example.com',
        "amina@[127.0.0.1]",
        "amina@example.com\nBcc: other@example.com",
        "amina@example.com, other@example.com",
        "Amina <amina@example.com>",
        "amína@example.com",
        f"{'a' * (LOCAL_MAX + 1)}@example.com",
        f"a@{'b.' * (MAIL_MAX // 2)}com",
    ],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    assert read(typed) == Refusal("not_a_mail_address")


@given(st.text(max_size=80))
def test_whatever_is_typed_nothing_but_an_address_gets_through(typed: str) -> None:
    answer = read(typed)
    if not isinstance(answer, Refusal):
        assert isinstance(answer, str)
        assert answer.isascii()
        assert answer.isprintable()
        assert not set(answer) & set(' ,;:<>()[]\\"')
        assert answer.count("@") == 1
