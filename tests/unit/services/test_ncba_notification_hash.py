"""What the hash of NCBA's notifications covers, and so who sent them."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime

import pytest

from services.domain.money import Money
from services.domain.payment import Payer, Verdict
from services.gateways.ncba.payment_notification import notification_hash, read_notification
from tests.kit.signed_notification import (
    CREDENTIALS,
    OTHER_LAYOUT,
    PHONE,
    SAID,
    read,
    read_xml,
    signed,
)


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
    if name == "BusinessShortCode":  # our own number is tried as well, so the hash holds
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
