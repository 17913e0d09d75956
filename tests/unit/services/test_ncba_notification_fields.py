"""What NCBA's notifications say, and how far to trust them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from services.domain.payment import BankNotification, Payer, Verdict
from services.domain.phone import Phone
from services.gateways.ncba.notification_body import (
    FIELD_MAX,
    FIELDS_MAX,
)
from services.gateways.ncba.payment_notification import read_notification
from tests.kit.signed_notification import (
    CREDENTIALS,
    OTHER_LAYOUT,
    PHONE,
    SAID,
    read,
    read_xml,
    signed,
)

HASHED = hashlib.sha256(PHONE.encode()).hexdigest()


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"BusinessShortCode": "123456"}, Verdict.OTHER_PAYBILL),
        ({"TransType": "Something Else"}, Verdict.OTHER_TYPE),
        ({"TransAmount": "0.00"}, Verdict.UNREADABLE),
        ({"TransAmount": "-5"}, Verdict.UNREADABLE),
        ({"TransAmount": "1e3"}, Verdict.UNREADABLE),
        ({"TransAmount": "1,500"}, Verdict.UNREADABLE),
        ({"TransAmount": "1.005"}, Verdict.UNREADABLE),
        ({"TransAmount": "999999999"}, Verdict.UNREADABLE),
        ({"TransTime": "20260231000000"}, Verdict.UNREADABLE),
        ({"TransTime": "yesterday"}, Verdict.UNREADABLE),
        ({"TransID": ""}, Verdict.UNREADABLE),
        ({"TransID": "UF4 OR6"}, Verdict.UNREADABLE),
    ],
)
def test_what_is_signed_and_cannot_be_booked(changes: dict[str, str], verdict: Verdict) -> None:
    credit = changes.get("BusinessShortCode", "880100")
    assert read(signed({**SAID, **changes}, credit)).verdict is verdict


@pytest.mark.parametrize(
    ("written", "payer"),
    [
        (PHONE, PHONE),
        ("0712345678", PHONE),
        ("+254712345678", PHONE),
        (HASHED.upper(), HASHED),
        ("2547*****678", ""),
        ("", ""),
    ],
)
def test_payers_are_read_in_every_form(written: str, payer: str) -> None:
    payment = read(signed({**SAID, "Mobile": written})).payment
    assert payment is not None
    assert payment.payer == Payer(payer)
    assert payment.payer.matches(Phone(PHONE)) == bool(payer)
    assert not payment.payer.matches(Phone("254712345679"))


@pytest.mark.parametrize(
    ("reference", "topup", "partner"),
    [
        ("TU7K3QF9", "TU-7K3QF9", "TU7K3QF9"),
        ("tu-7k3qf9 ", "TU-7K3QF9", "TU7K3QF9"),
        ("774451#TU 7K3QF9", "TU-7K3QF9", "TU7K3QF9"),
        ("finsafe", None, "FINSAFE"),
        ("774451#FINSAFE", None, "FINSAFE"),
        ("774451#", None, None),
        ("", None, None),
        ("TU-7K3QF9X", None, "TU7K3QF9X"),
    ],
)
@pytest.mark.parametrize("name", ["BillRefNumber", "Narrative"])
def test_references_are_read_as_people_type_them(
    name: str, reference: str, topup: str | None, partner: str | None
) -> None:
    said = SAID | {"BillRefNumber": "774451", name: reference}
    payment = read(signed(said)).payment
    assert payment is not None
    assert (payment.topup, payment.partner) == (topup, partner)


@pytest.mark.parametrize(
    "narrative",
    [
        "Paybill payment",
        "Pay Bill",
        "PAYBILL",
        "774451",
        "880100",
        "",
        "MPESA",
        "M-PESA payment from 254712345678",
        "MPESA C2B UF4OR6RP9Q ASHA EXAMPLE FT1",
        "MPESA 2547*****678",
    ],
)
@pytest.mark.parametrize("bill", ["774451", "774451#", "880100 774451", ""])
def test_what_the_bank_writes_by_itself_is_nothing_that_was_typed(
    bill: str, narrative: str
) -> None:
    payment = read(signed({**SAID, "BillRefNumber": bill, "Narrative": narrative})).payment
    assert payment is not None
    assert payment.typed == ""


@pytest.mark.parametrize("words", ["SCHOOL FEES", "mpesa for john", "payment", "774452", "finsaf"])
def test_what_was_typed_is_kept_though_it_names_nothing(words: str) -> None:
    payment = read(signed({**SAID, "BillRefNumber": "774451", "Narrative": words})).payment
    assert payment is not None
    assert payment.typed == words.upper()
    assert payment.signed == ""  # the hash does not cover the narrative
    assert words in payment.account_reference


def test_what_a_prompt_carries_beside_its_reference_is_our_own() -> None:
    credentials = replace(CREDENTIALS, fixed_words=("774451", "HAZINA"))
    body = json.dumps(signed({**SAID, "BillRefNumber": "774451#Hazina"})).encode()
    payment = read_notification(body, xml=False, credentials=credentials).payment
    assert payment is not None
    assert payment.typed == ""


@pytest.mark.parametrize(
    "more",
    [True, None, 5, 1.5, [], [1, [2]], {"a": {"b": [True]}}, {"Password": "another-secret"}],
    ids=repr,
)
@pytest.mark.parametrize("name", ["Reversal", "Narrative", "FTRef"])
def test_a_value_of_another_kind_beside_the_signed_ones_does_no_harm(
    name: str, more: object
) -> None:
    taken = read(signed(SAID) | {name: more})
    assert taken.verdict is Verdict.TAKEN
    assert "another-secret" not in taken.body
    assert name in json.loads(taken.body)


def test_a_name_that_comes_twice_does_no_harm_where_nobody_reads_it() -> None:
    body = json.dumps(signed(SAID))[:-1] + ', "note": "a", "note": {"b": 1, "b": 2}}'
    taken = read_notification(body.encode(), xml=False, credentials=CREDENTIALS)
    assert taken.verdict is Verdict.TAKEN
    long = read(signed(SAID) | {"note": "x" * (2 * FIELD_MAX)})
    assert long.verdict is Verdict.TAKEN
    assert len(json.loads(long.body)["note"]) == FIELD_MAX


@pytest.mark.parametrize(
    "odd", [None, "", "else", True, [], {"first": "A"}, ["254700000000"], "x" * 600], ids=repr
)
@pytest.mark.parametrize("name", OTHER_LAYOUT)
def test_an_odd_value_under_the_other_layouts_name_does_no_harm(name: str, odd: object) -> None:
    fields = signed(SAID)
    assert read(fields | {OTHER_LAYOUT[name]: odd}).payment == read(fields).payment is not None
    other = {OTHER_LAYOUT.get(key, key): value for key, value in fields.items()}
    assert read(other | {name: odd}).payment == read(fields).payment


@pytest.mark.parametrize("name", ["TransID", "TransAmount", "BillRefNumber", "Mobile", "Hash"])
@pytest.mark.parametrize("value", [True, [], {}, ["UF4OR6RP9Q"]], ids=repr)
def test_a_signed_value_of_another_kind_is_unreadable(name: str, value: object) -> None:
    assert read(signed(SAID) | {name: value}).verdict is Verdict.UNREADABLE


def test_an_entity_is_never_expanded() -> None:
    dtd = '<!DOCTYPE e [<!ENTITY x "' + "y" * 50 + '">]>'
    fields = signed(SAID) | {"Narrative": "&x;"}
    assert read_xml(fields, dtd).verdict is Verdict.UNREADABLE


@pytest.mark.parametrize("make", [read, read_xml])
def test_as_many_fields_as_the_limit_are_read_and_no_more(
    make: Callable[[Mapping[str, str]], BankNotification],
) -> None:
    said = signed(SAID)
    most = said | {f"Field{n}": "" for n in range(FIELDS_MAX - len(said))}
    assert make(most).verdict is Verdict.TAKEN
    assert make(most | {"OneMore": ""}).verdict is Verdict.UNREADABLE


def test_a_name_is_kept_as_people_read_it() -> None:
    assert "Zoë Ng’ang’a" in read(signed(SAID | {"name": "Zoë Ng’ang’a"})).body


def test_what_is_kept_of_a_notification_has_one_order() -> None:
    kept, again = read(signed(SAID)).body, read(dict(reversed(signed(SAID).items()))).body
    assert list(json.loads(kept)) == sorted(json.loads(kept))
    assert kept == again
