"""What NCBA's notifications of our account say, and how far to trust them (facts: NCBA 6)."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.domain.money import Money
from services.domain.payment import BankNotification, Payer, Verdict
from services.gateways.ncba.account_notification import account_hashes
from services.gateways.ncba.notification_body import REQUEST, NotificationProduct, NotifyCredentials
from services.gateways.ncba.payment_notification import read_notification

ORDER = [
    "TransType",
    "TransID",
    "TransTime",
    "TransAmount",
    "AccountNr",
    "Narrative",
    "PhoneNr",
    "CustomerName",
    "Status",
]
PHONE = "254712345678"
SAID = {
    "TransType": "876",
    "TransID": "FT26240ABCDE",
    "TransTime": "2603020900",
    "TransAmount": "1500.00",
    "AccountNr": "1007745101",
    "Narrative": "774451#UMOJA",
    "PhoneNr": "1007745101",
    "CustomerName": f"ASHA EXAMPLE {PHONE} UF4OR6RP9Q",
    "Status": "SUCCESS",
}


def credentials(product: NotificationProduct = NotificationProduct.BOTH) -> NotifyCredentials:
    return NotifyCredentials(
        username="invented-user",
        password="invented-password",
        secret_key="invented-key",
        paybill_no="880100",
        account_number="774451",
        bank_account="1007745101",
        product=product,
    )


def read(
    fields: dict[str, str],
    *,
    raw: bool = False,
    product: NotificationProduct = NotificationProduct.BOTH,
    **proof: str,
) -> BankNotification:
    said = SAID | fields
    hashes = account_hashes("invented-key", said)
    proof = {
        "User": "invented-user",
        "Password": "invented-password",
        "HashVal": hashes[raw],
        "FtCrNarration": "x",
    } | proof
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in (proof | said).items())
    body = (
        f"<e:Envelope xmlns:e='urn:e'><e:Body><{REQUEST}>{inner}</{REQUEST}></e:Body></e:Envelope>"
    )
    return read_notification(body.encode(), xml=True, credentials=credentials(product))


def test_the_hash_is_over_nine_words_in_their_order() -> None:
    digest = hashlib.sha256(("invented-key" + "".join(SAID[name] for name in ORDER)).encode())
    documented, seen = account_hashes("invented-key", SAID)
    assert base64.b64decode(documented) == digest.hexdigest().encode()
    assert base64.b64decode(seen) == digest.digest()


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("product", [NotificationProduct.ACCOUNT, NotificationProduct.BOTH])
def test_a_credit_is_a_payment(raw: bool, product: NotificationProduct) -> None:
    taken = read({}, raw=raw, product=product)
    assert (taken.verdict, taken.of_account) == (Verdict.TAKEN, True)
    payment = taken.payment
    assert payment is not None
    assert (payment.receipt, payment.bank_reference) == ("UF4OR6RP9Q", "FT26240ABCDE")
    assert payment.amount == Money(150_000)
    assert payment.paid_at == datetime(2026, 3, 2, 6, tzinfo=UTC)
    assert payment.payer == Payer(PHONE)
    assert (payment.typed, payment.signed) == ("UMOJA", None)


@pytest.mark.parametrize("name", ORDER)
def test_whatever_is_changed_is_noticed(name: str) -> None:
    signed = account_hashes("invented-key", SAID)[0]
    assert read({name: SAID[name] + "1"}, HashVal=signed).verdict is not Verdict.TAKEN


@pytest.mark.parametrize("name", ["User", "Password"])
def test_wrong_credentials_are_noticed(name: str) -> None:
    found = read({}, **{name: "another"})
    assert found.verdict is Verdict.BAD_CREDENTIALS


def test_a_paybills_desk_takes_none() -> None:
    assert read({}, product=NotificationProduct.PAYBILL).verdict is Verdict.BAD_HASH


@pytest.mark.parametrize("code", ["876", "883", "171", "500", "506", "886", "887"])
def test_customers_payments_are_taken(code: str) -> None:
    assert read({"TransType": code}).verdict is Verdict.TAKEN


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"TransType": "549"}, Verdict.OTHER_TYPE),
        ({"TransType": "550"}, Verdict.OTHER_TYPE),
        ({"TransType": "999"}, Verdict.OTHER_TYPE),
        ({"TransAmount": "-4200.50"}, Verdict.OTHER_TYPE),
        ({"Status": "FAILED"}, Verdict.OTHER_STATUS),
        ({"Status": ""}, Verdict.OTHER_STATUS),
        ({"Status": "success"}, Verdict.TAKEN),
        ({"AccountNr": "1007745102"}, Verdict.OTHER_PAYBILL),
        ({"TransAmount": "0.00"}, Verdict.UNREADABLE),
        ({"TransAmount": "1,500.00"}, Verdict.UNREADABLE),
        ({"TransAmount": "250000.01"}, Verdict.UNREADABLE),
        ({"TransAmount": "250000.01", "TransType": "886"}, Verdict.TAKEN),
        ({"TransTime": "2602310900"}, Verdict.UNREADABLE),
        ({"TransTime": "20260302090000"}, Verdict.UNREADABLE),
        ({"TransID": "FT 1"}, Verdict.UNREADABLE),
    ],
)
def test_what_is_signed_and_is_no_payment(changes: dict[str, str], verdict: Verdict) -> None:
    assert read(changes).verdict is verdict


@pytest.mark.parametrize(
    ("changes", "receipt"),
    [
        ({"TransType": "171", "CustomerName": f"UF4OR6RP9Q {PHONE} ASHA EXAMPLE"}, "UF4OR6RP9Q"),
        ({"CustomerName": f"uf4or6rp9q-{PHONE}"}, "UF4OR6RP9Q"),
        ({"CustomerName": "ASHA EXAMPLE"}, "FT26240ABCDE"),
        ({"CustomerName": "CHRISTOPHE EXAMPLE"}, "FT26240ABCDE"),  # ten letters are a name
        ({"CustomerName": "UF4OR6RP9Q UF4OR6RP9R"}, "FT26240ABCDE"),
        ({"CustomerName": "", "Narrative": "UF4OR6RP9Q"}, "FT26240ABCDE"),  # typed by the payer
        ({"TransType": "886"}, "FT26240ABCDE"),  # not from M-PESA
    ],
)
def test_the_receipt_is_mpesas_where_it_can_be_told(changes: dict[str, str], receipt: str) -> None:
    payment = read(changes).payment
    assert payment is not None
    assert payment.receipt == receipt
    assert payment.bank_reference == "FT26240ABCDE"
    assert payment.has_receipt == (receipt != "FT26240ABCDE")


@pytest.mark.parametrize(
    ("changes", "payer"),
    [
        ({"PhoneNr": PHONE, "CustomerName": "ASHA"}, PHONE),
        ({"PhoneNr": "0712345678"}, PHONE),
        ({"PhoneNr": "254733345678"}, ""),  # the name field has another number
        ({"PhoneNr": "", "CustomerName": "ASHA EXAMPLE 2547*****678"}, ""),
        ({"PhoneNr": "774451", "CustomerName": "ASHA"}, ""),
    ],
)
def test_the_phone_may_stand_in_either_field(changes: dict[str, str], payer: str) -> None:
    payment = read(changes).payment
    assert payment is not None
    assert payment.payer == Payer(payer)


def test_credentials_are_never_kept() -> None:
    kept = read({"Narrative": "of invented-password"}).body
    assert "UF4OR6RP9Q" in kept
    for secret in ("invented-user", "invented-password", account_hashes("invented-key", SAID)[0]):
        assert secret not in kept


def test_digits_that_would_be_a_time_of_another_century_leave_a_message_clear() -> None:
    """Shifted by one digit, the first days of a year read as October 2060, 2070 and so on."""
    for time in ("2601011030", "2601021030", "2601030930", "2701011030", "2612011030"):
        for number in ("FTC260302ABCD", "FT26240ABCDE", "FT26240ABCD"):
            found = read({"TransID": number, "TransTime": time})
            assert found.verdict is Verdict.TAKEN, (time, number)
            assert found.payment is not None
            assert found.payment.amount == Money(150_000)


def test_nor_is_such_a_time_ever_taken_as_it_stands() -> None:
    said = SAID | {"TransTime": "2601011030"}
    signed = account_hashes("invented-key", said)[0]
    forged = said | {"TransID": "FT26240ABCDE2", "TransTime": "6010110301", "TransAmount": "500.00"}
    assert account_hashes("invented-key", forged)[0] == signed
    assert read(forged, HashVal=signed).verdict is Verdict.UNREADABLE
    assert read({"TransTime": "6010110301"}).verdict is Verdict.UNREADABLE


@pytest.mark.parametrize("odd", ["BillRefNumber", "Mobile", "name", "Username", "Hash"])
def test_an_odd_value_under_the_other_products_name_does_no_harm(odd: str) -> None:
    assert read({}, **{odd: "<a>1</a>"}).verdict is Verdict.TAKEN


@settings(max_examples=8, deadline=None)
@given(
    number=st.from_regex(r"FT2[0-9]{4}[0-9A-C]{1,5}", fullmatch=True),
    amount=st.sampled_from(("4", "10", "15.00", "1500.00", "99999")),
    day=st.sampled_from(("260302", "260101", "270102", "261201")),
    hour=st.sampled_from(("0001", "0900", "1030", "1251", "2359")),
    code=st.sampled_from(("876", "500")),
)
def test_no_border_can_be_moved_so_that_another_payment_is_taken(
    number: str, amount: str, day: str, hour: str, code: str
) -> None:
    said = SAID | {"TransID": number, "TransTime": f"{day}{hour}", "TransAmount": amount}
    said |= {"TransType": code, "CustomerName": "ASHA EXAMPLE"}
    signed = account_hashes("invented-key", said)[0]
    words = "".join(said[name] for name in ORDER)[3 : -len("SUCCESS")]
    for end in range(6, 21):
        for digits in range(1, 13):
            rest = words[end + 10 + digits :]
            account = next((one for one in credentials().accounts if rest.startswith(one)), rest)
            moved = {
                "TransID": words[:end],
                "TransTime": words[end : end + 10],
                "TransAmount": words[end + 10 : end + 10 + digits],
                "AccountNr": account,
                "Narrative": rest[len(account) :],
                "PhoneNr": "",
                "CustomerName": "",
            }
            payment = read(said | moved, HashVal=signed).payment
            if payment is not None:
                assert (payment.bank_reference, payment.amount) == (number, Money.of(amount))


def test_digits_of_the_time_cannot_raise_the_amount() -> None:
    said = SAID | {"TransID": "FT24002603", "TransTime": "2603021251", "TransAmount": "10.00"}
    signed = account_hashes("invented-key", said)[0]
    forged = {"TransID": "FT2400", "TransTime": "2603260302", "TransAmount": "125110.00"}
    assert account_hashes("invented-key", SAID | forged)[0] == signed
    assert read(said, HashVal=signed).verdict is Verdict.UNREADABLE
    assert read(forged, HashVal=signed).verdict is Verdict.UNREADABLE
