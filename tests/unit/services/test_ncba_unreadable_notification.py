"""What is kept of NCBA's notifications: everything unreadable, and no secrets."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from time import process_time
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest

from services.domain.payment import Verdict
from services.gateways.ncba.notification_body import (
    FIELD_MAX,
    HIDDEN,
    KEPT_MAX,
    REQUEST,
)
from services.gateways.ncba.payment_notification import read_notification
from tests.kit.signed_notification import (
    CREDENTIALS,
    SAID,
    read,
    read_xml,
    signed,
)


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
    assert process_time() - began < 2  # it once took 50


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
