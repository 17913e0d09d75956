"""What an SMS costs, and the check that our own texts cost what they should."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.turns.registry import HANDLERS
from flows.engine.check_sms import sms_errors
from flows.engine.session import FlowRegistry
from flows.engine.texts import Texts
from services.domain.gsm7 import as_sms_text, parts, septets

NO_FLOWS = FlowRegistry()


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("B2C 4…187", "B2C 4...187"),
        ("“Amina’s” – paid", '"Amina\'s" - paid'),
        ("KES\u00a01,500\u202f\u2068FINSAFE\u2069", "KES 1,500 FINSAFE"),
        ("mark → new", "mark -> new"),
        ("Amélie", "Amélie"),  # composed into one letter
        ("Wanjirũ 王", "Wanjirũ 王"),  # names are not changed
    ],
)
def test_signs_are_written_as_a_typist_does_and_names_stay(text: str, out: str) -> None:
    assert as_sms_text(text) == out


@pytest.mark.parametrize(
    ("text", "length", "count"),
    [
        ("a" * 160, 160, 1),
        ("a" * 161, 161, 2),
        ("a" * 307, 307, 3),
        ("[" * 80, 160, 1),
        ("[" * 80 + "a", 161, 2),
        ("ũ" + "a" * 69, None, 1),
        ("ũ" + "a" * 70, None, 2),
        ("😀" * 35, None, 1),
        ("😀" * 36, None, 2),
    ],
)
def test_a_part_holds_160_or_70(text: str, length: int | None, count: int) -> None:
    assert (septets(text), parts(text)) == (length, count)


@given(st.text())
def test_written_twice_is_written_once(text: str) -> None:
    assert as_sms_text(as_sms_text(text)) == as_sms_text(text)


@pytest.mark.parametrize(
    ("key", "sentence", "fault"),
    [
        ("sms.long_code", "Code {code}." + "a" * 141, "en: sms.long_code is 2 SMS"),
        ("sms.odd_code", "Code {code} ũ", "en: sms.odd_code may go by SMS, and is not GSM-7"),
        ("sms.new_code", "Code {code} {fresh}", "en: sms.new_code may go by SMS, and how wide"),
        ("notice.moved_mail", "{code}" + "a" * 450, "en: notice.moved_mail is 4 SMS"),
        ("sms.fits_code", "Code {code}." + "a" * 140, None),  # behind "Hazina: "
        ("sms.signed_code", "Hazina: code {code}." + "a" * 140, None),
        ("sms.signs_code", "“{code}” – B2C {destination}", None),
        ("notice.chat_only", "ũ" * 500, None),
    ],
)
def test_a_text_that_does_not_fit_is_a_fault(key: str, sentence: str, fault: str | None) -> None:
    found = list(sms_errors(NO_FLOWS, Texts({"en": {key: sentence}}), HANDLERS))
    assert [one.startswith(fault or "") for one in found] == [True] * (fault is not None)
