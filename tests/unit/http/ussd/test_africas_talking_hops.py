"""A hop of Africa's Talking says who dials, which code, and what was typed (facts: USSD 1)."""

from __future__ import annotations

from itertools import pairwise

import pytest

from bot.http.ussd.africas_talking import FIELDS_MAX, TEXT_MAX, AfricasTalking
from services.domain.ussd import Hop
from tests.kit.ussd_requests import CODE, HOP, PHONE, SESSION, body

GATEWAY = AfricasTalking([CODE, "*384*7*20#", "*483*5#"])


def hop(text: str = "", *, code: str = CODE, network: str = "63902") -> Hop:
    return Hop("africas_talking", SESSION, PHONE, code, network, text)


@pytest.mark.parametrize("text", ["", "1", "1*500", "1*500*0", "0", "*", "1**2", "Ann & Otieno+é"])
def test_what_was_typed_is_read_as_it_stands(text: str) -> None:
    assert GATEWAY.parse(body(HOP, text=text)) == hop(text)


def test_a_captured_request_is_read() -> None:
    wire = (
        b"sessionId=ATUid_0123456789abcdef0123456789abcdef&phoneNumber=%2B254700000001"
        b"&networkCode=63902&serviceCode=%2A384%2A7%23&text=1%2A500"
    )
    assert GATEWAY.parse(wire) == hop("1*500")


def test_the_form_is_decoded_once() -> None:
    assert GATEWAY.parse(body(HOP, text="%2B")) == hop("%2B")


@pytest.mark.parametrize(
    "phone",
    ["%20254700000001", "+254700000001", "%252B254700000001"],
    ids=["blank", "plus-not-escaped", "escaped-twice"],
)
def test_a_plus_that_was_lost_on_the_way_is_refused(phone: str) -> None:
    wire = body(HOP, phoneNumber=None) + b"&phoneNumber=" + phone.encode()
    assert GATEWAY.parse(wire) is None


@pytest.mark.parametrize(
    "phone",
    ["", "+", "254700000001", "0700000001", "+0700000001", "+2547000", "+254700000001\n",
     "+2547٠٠٠٠٠٠٠١", "+2547000000010000"],
)  # fmt: skip
def test_only_a_whole_number_with_its_country_dials(phone: str) -> None:
    assert GATEWAY.parse(body(HOP, phoneNumber=phone)) is None


@pytest.mark.parametrize("digits", ["254110000001", "255700000001", "254200000001"])
def test_whoever_dials_is_answered_whatever_their_network(digits: str) -> None:
    found = GATEWAY.parse(body(HOP, phoneNumber=f"+{digits}"))
    assert found is not None
    assert found.phone == digits


@pytest.mark.parametrize("session", ["", " ", "two words", "é", "x" * 129, "line\nbreak"])
def test_a_session_needs_an_id_that_can_be_kept(session: str) -> None:
    assert GATEWAY.parse(body(HOP, sessionId=session)) is None


@pytest.mark.parametrize("name", ["sessionId", "phoneNumber", "serviceCode", "text"])
def test_what_a_hop_needs_may_not_be_left_out(name: str) -> None:
    assert GATEWAY.parse(body(HOP, **{name: None})) is None


@pytest.mark.parametrize(("given", "network"), [(None, ""), ("", ""), ("9" * 16, "9" * 16)])
def test_the_network_may_be_left_out(given: str | None, network: str) -> None:
    assert GATEWAY.parse(body(HOP, networkCode=given)) == hop(network=network)


@pytest.mark.parametrize("network", ["9" * 17, "a b", "é"])
def test_a_network_that_cannot_be_kept_is_refused(network: str) -> None:
    assert GATEWAY.parse(body(HOP, networkCode=network)) is None


@pytest.mark.parametrize("name", [*HOP, "other"])
def test_a_field_that_comes_twice_is_refused(name: str) -> None:
    twice = f"&{name}=1&{name}=1" if name == "other" else f"&{name}=1"
    assert GATEWAY.parse(body(HOP) + twice.encode()) is None


def test_fields_that_are_not_known_are_ignored_up_to_ten() -> None:
    more = {f"other{number}": "" for number in range(FIELDS_MAX - len(HOP))}
    assert GATEWAY.parse(body(HOP | more)) == hop()
    assert GATEWAY.parse(body(HOP | more | {"one": "more"})) is None


def test_a_text_has_a_thousand_characters_at_most() -> None:
    assert GATEWAY.parse(body(HOP, text="1" * TEXT_MAX)) == hop("1" * TEXT_MAX)
    assert GATEWAY.parse(body(HOP, text="1" * (TEXT_MAX + 1))) is None
    tail = body(HOP, serviceCode="*384*7*1#", text="1" * (TEXT_MAX - 1))
    assert GATEWAY.parse(tail) is None


@pytest.mark.parametrize(
    "wire", [b"", b"&&&", b"\xff", b"text=%FF", b'{"text": ""}', b"<ussd/>", body(HOP) + b"&x=%ED"]
)
def test_what_is_no_form_is_refused(wire: bytes) -> None:
    assert GATEWAY.parse(wire) is None


# Tails: ``*384*7*1*500#``


@pytest.mark.parametrize(
    ("dialled", "text", "read"),
    [
        (CODE, "1*500", "1*500"),
        ("*384*7*1*500#", "", "1*500"),
        ("*384*7*1*500#", "1", "1*500*1"),
        ("*384*7*1*500#", "1*0", "1*500*1*0"),
        ("*384*7**500#", "", "*500"),
        ("*384*7*#", "", ""),
    ],
    ids=["in-text", "in-the-code", "its-next-hop", "the-one-after", "a-blank-in-it", "no-tail"],
)
def test_a_tail_begins_the_text_wherever_it_comes(dialled: str, text: str, read: str) -> None:
    assert GATEWAY.parse(body(HOP, serviceCode=dialled, text=text)) == hop(read)


def test_with_a_tail_too_each_hop_extends_the_one_before() -> None:
    texts = []
    for typed in ("", "1", "1*2"):
        found = GATEWAY.parse(body(HOP, serviceCode="*384*7*1*500#", text=typed))
        assert found is not None
        texts.append(found.text)
    assert all(later.startswith(f"{text}*") for text, later in pairwise(texts))


@pytest.mark.parametrize(
    ("dialled", "code", "text"),
    [
        ("*384*7*20#", "*384*7*20#", ""),
        ("*384*7*20*1#", "*384*7*20#", "1"),
        ("*384*7*2#", CODE, "2"),
        ("*384*7*200#", CODE, "200"),
        ("*483*5*1#", "*483*5#", "1"),
    ],
)
def test_the_longest_registered_code_counts(dialled: str, code: str, text: str) -> None:
    assert GATEWAY.parse(body(HOP, serviceCode=dialled)) == hop(text, code=code)


@pytest.mark.parametrize(
    "dialled",
    ["", "*384#", "*384*71#", "*384*71*7#", "384*7#", "*384*7", "*384*7*1", "*384*7*a#",
     "*384*7#*384*7#", "*384*7*١#", "*384*7*" + "1" * 128 + "#", "*384*7#\n"],
)  # fmt: skip
def test_a_code_that_is_not_ours_is_refused(dialled: str) -> None:
    assert GATEWAY.parse(body(HOP, serviceCode=dialled)) is None


def test_what_was_typed_is_not_shown_when_a_hop_is_printed() -> None:
    assert "482913" not in repr(GATEWAY.parse(body(HOP, text="1*482913")))


# Answers


@pytest.mark.parametrize(
    ("goes_on", "wire"), [(True, "CON 1 Top up\n0 Back é"), (False, "END 1 Top up\n0 Back é")]
)
def test_a_page_is_plain_text_behind_con_or_end(goes_on: bool, wire: str) -> None:
    response = GATEWAY.reply("1 Top up\n0 Back é", goes_on=goes_on)
    assert (response.status_code, response.body) == (200, wire.encode())
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("network", ["63902", "63903", "63907", "63999", "99999", "", "1"])
def test_a_page_fits_the_network_that_shows_least(network: str) -> None:
    assert GATEWAY.budget(network) == 160
