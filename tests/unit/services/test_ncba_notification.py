"""What NCBA's notifications say, what they are worth, and what is kept of them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from time import process_time
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest

from services.domain.money import Money
from services.domain.payment import BankNotification, Payer, Verdict
from services.domain.phone import Phone
from services.gateways.ncba.notification_body import (
    FIELD_MAX,
    FIELDS_MAX,
    HIDDEN,
    KEPT_MAX,
    REQUEST,
    NotifyCredentials,
)
from services.gateways.ncba.payment_notification import notification_hash, read_notification

CREDENTIALS = NotifyCredentials(
    username="invented-user",
    password="invented-password",
    secret_key="invented-key",
    paybill_no="880100",
    account_number="774451",
)
PHONE = "254712345678"
HASHED = hashlib.sha256(PHONE.encode()).hexdigest()
SAID = {
    "TransType": "Pay Bill",
    "TransID": "UF4OR6RP9Q",
    "FTRef": "FT1",
    "TransTime": "20260302090000",
    "TransAmount": "1500.0",
    "BusinessShortCode": "880100",
    "BillRefNumber": "774451#TU7K3QF9",
    "Narrative": "Paybill payment",
    "Mobile": PHONE,
    "name": "Asha Example",
}
OTHER_LAYOUT = {
    "BillRefNumber": "AccountNr",
    "Mobile": "PhoneNr",
    "name": "CustomerName",
    "Username": "User",
    "Hash": "HashVal",
}


def signed(fields: Mapping[str, str], credit: str = "880100") -> dict[str, str]:
    account = fields.get("BillRefNumber", fields.get("AccountNr", ""))
    hashed = notification_hash(CREDENTIALS.secret_key, fields, credit, account)
    return {
        **fields,
        "Username": CREDENTIALS.username,
        "Password": CREDENTIALS.password,
        "Hash": hashed,
    }


def read(fields: object) -> BankNotification:
    body = json.dumps(fields).encode()
    return read_notification(body, xml=False, credentials=CREDENTIALS)


def read_xml(fields: Mapping[str, str], before: str = "") -> BankNotification:
    inner = "".join(f"<n:{name}>{value}</n:{name}>" for name, value in fields.items())
    body = (
        f'{before}<e:Envelope xmlns:e="urn:e" xmlns:n="urn:n"><e:Body><n:{REQUEST}>{inner}'
        f"</n:{REQUEST}></e:Body></e:Envelope>"
    )
    return read_notification(body.encode(), xml=True, credentials=CREDENTIALS)


def test_the_hash_is_base64_of_the_hexadecimal_digits() -> None:
    words = "invented-keyPay BillUF4OR6RP9Q202603020900001500.0880100774451#TU7K3QF9"
    words += f"{PHONE}Asha Example1"
    digest = hashlib.sha256(words.encode()).hexdigest()
    expected = base64.b64encode(digest.encode()).decode()
    assert len(expected) == 88
    given = notification_hash("invented-key", SAID, "880100", "774451#TU7K3QF9")
    assert given == expected


@pytest.mark.parametrize("credit", ["880100", "774451"])
def test_either_reading_of_the_credit_account_is_taken(credit: str) -> None:
    taken = read(signed(SAID, credit))
    assert taken.verdict is Verdict.TAKEN
    payment = taken.payment
    assert payment is not None
    assert (payment.receipt, payment.amount) == ("UF4OR6RP9Q", Money(150_000))
    assert payment.paid_at == datetime(2026, 3, 2, 6, tzinfo=UTC)
    assert payment.topup == "TU-7K3QF9"
    assert payment.payer == Payer(PHONE)


def test_xml_says_the_same() -> None:
    assert read_xml(signed(SAID)).payment == read(signed(SAID)).payment


def test_the_other_layout_says_the_same() -> None:
    fields = {OTHER_LAYOUT.get(name, name): value for name, value in signed(SAID).items()}
    assert read(fields).payment == read(signed(SAID)).payment


@pytest.mark.parametrize("name", [*SAID, "Hash"])
def test_whatever_is_changed_is_noticed_unless_it_is_not_signed(name: str) -> None:
    fields = signed(SAID)
    fields[name] += "1"
    unsigned = name in {"FTRef", "Narrative"}
    if name == "BusinessShortCode":  # our own number is tried as well: the hash holds
        assert read(fields).verdict is Verdict.OTHER_PAYBILL
        return
    assert read(fields).verdict is (Verdict.TAKEN if unsigned else Verdict.BAD_HASH)


@pytest.mark.parametrize(
    ("said", "forged"),
    [
        (
            {"TransAmount": "10", "BillRefNumber": "774451#DEMO"},
            {"TransAmount": "10880100", "BillRefNumber": "#DEMO"},
        ),
        (
            {"TransAmount": "1500.0", "BillRefNumber": "774451#DEMO"},
            {
                "TransAmount": "1500.08",
                "BusinessShortCode": "",
                "BillRefNumber": "80100774451#DEMO",
            },
        ),
    ],
    ids=["into the short code", "without a short code"],
)
def test_an_amount_cannot_be_raised_by_moving_the_borders_of_signed_words(
    said: dict[str, str], forged: dict[str, str]
) -> None:
    signature = signed({**SAID, **said})
    assert read({**signature, **forged}).verdict is not Verdict.TAKEN


@pytest.mark.parametrize("before", ["\ufeff", "\n ", "\ufeff\r\n"])
def test_a_mark_or_blank_line_before_it_does_no_harm(before: str) -> None:
    assert read_xml(signed(SAID), before).verdict is Verdict.TAKEN
    body = f"{before}{json.dumps(signed(SAID))}".encode()
    notification = read_notification(body, xml=False, credentials=CREDENTIALS)
    assert notification.verdict is Verdict.TAKEN


@pytest.mark.parametrize("name", ["Username", "Password"])
def test_wrong_credentials_are_noticed(name: str) -> None:
    assert read(signed(SAID) | {name: "another"}).verdict is Verdict.BAD_CREDENTIALS


def test_a_missing_hash_is_no_hash() -> None:
    fields = signed(SAID)
    del fields["Hash"]
    assert read(fields).verdict is Verdict.BAD_HASH


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
    assert payment.signed == ""  # the narrative is not in the hash
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


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"TransID=UF4OR6RP9Q&TransAmount=10",
        b"[]",
        b"\xff\xfe",
        b'{"TransID": "A", "TransID": "B"}',
        b'{"TransID": {"a": "b"}}',
        b'{"TransID": NaN}',
        b'{"TransID": "\\ud800"}',
        b'{"TransID": "\\u0000"}',
        b"[" * 60_000,
        json.dumps({"TransID": "x" * (FIELD_MAX + 1)}).encode(),
        json.dumps({f"n{n}": "x" for n in range(100)}).encode(),
    ],
)
def test_what_cannot_be_read_is_kept_as_it_came(body: bytes) -> None:
    found = read_notification(body, xml=False, credentials=CREDENTIALS)
    assert found.verdict is Verdict.UNREADABLE
    kept = json.loads(found.body)
    assert kept["bytes"] == len(body)
    as_it_came = body.decode("latin-1")[:KEPT_MAX]
    looks_hashed = (json.dumps({"TransID": HIDDEN}),)
    assert kept["text"] in (as_it_came, *looks_hashed)


ODD_PASSWORD = 'pa"ss&wörd/7'


@pytest.mark.parametrize(
    "body",
    [
        b'{"Password": "%s", "TransID": [',
        b'{"password":"%s',
        b'{"a": {"PassWord": "%s"}, "TransID": [',
        b"User=invented-user&Password=%s&TransID=A",
        b"<Request Password='%s' TransID='A'",
        b"<soap:Password>%s</soap:Password><",
        b"<Password><![CDATA[%s]]></Password><",
        b"somebody wrote %s here",
        b"%s",
    ],
)
@pytest.mark.parametrize("spell", [str, escape, quote, lambda text: json.dumps(text)[1:-1]])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_no_secret_is_kept_of_what_cannot_be_read(
    body: bytes, spell: Callable[[str], str], encoding: str
) -> None:
    credentials = replace(CREDENTIALS, password=ODD_PASSWORD)
    text = body.decode().replace("%s", spell(ODD_PASSWORD))
    found = read_notification(text.encode(encoding), xml=False, credentials=credentials)
    kept = json.loads(found.body)["text"]
    for part in ('"ss', "&w", "w\u00f6rd", "rd/7", credentials.username):
        assert part not in kept


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "cp1252"])
def test_what_cannot_be_read_is_kept_in_letters(encoding: str) -> None:
    body = "neither XML nor a form: caf\u00e9".encode(encoding)
    kept = json.loads(read_notification(body, xml=False, credentials=CREDENTIALS).body)["text"]
    assert kept.startswith("neither XML nor a form: caf")


@pytest.mark.parametrize(
    "piece",
    [b"user", b'"user', b"<user", b"<", b"user-", b"user =", b"&#0", b'\\"', b'user"', b"<a>"],
    ids=repr,
)
@pytest.mark.parametrize("first", [b"", b'"', b"<", b"user=", b'"user":"'], ids=repr)
def test_what_cannot_be_read_is_kept_without_trying_it_again_and_again(
    first: bytes, piece: bytes
) -> None:
    body = (first + piece * 64_000)[:64_000]
    began = process_time()
    read_notification(body, xml=False, credentials=CREDENTIALS)
    assert process_time() - began < 2  # it was 50


def test_a_hash_and_a_key_are_not_kept_of_what_cannot_be_read() -> None:
    fields = signed(SAID) | {"TransID": ["A"], "note": CREDENTIALS.secret_key}
    kept = json.loads(read(fields).body)["text"]
    assert "Asha Example" in kept
    for secret in (signed(SAID)["Hash"], CREDENTIALS.secret_key, CREDENTIALS.password):
        assert secret not in kept


@pytest.mark.parametrize(
    "body",
    [
        b"<",
        b"<a/>",
        f"<{REQUEST}/>".encode() * 2,
        f"<a><{REQUEST}/><{REQUEST}/></a>".encode(),
        f"<{REQUEST}><TransID>A</TransID><TransID>B</TransID></{REQUEST}>".encode(),
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<?xml version="1.0" encoding="utf-16"?><a/>',
    ],
)
def test_xml_that_cannot_be_read_is_refused(body: bytes) -> None:
    found = read_notification(body, xml=True, credentials=CREDENTIALS)
    assert found.verdict is Verdict.UNREADABLE


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


@pytest.mark.parametrize("make", [read, read_xml])
def test_credentials_are_never_kept(make: object) -> None:
    fields = signed(SAID) | {
        "Narrative": f"my password is {CREDENTIALS.password}",
        "password": "another-secret",
    }
    assert callable(make)
    kept = make(fields).body
    assert "UF4OR6RP9Q" in kept
    secrets = (CREDENTIALS.password, CREDENTIALS.secret_key, fields["Hash"], "another-secret")
    for secret in secrets:
        assert secret not in kept
