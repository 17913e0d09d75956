"""NCBA's notifications of movements on our account (facts: NCBA 6): a separate product with its own
hash, times and types. It reports more than customers' payments, and has no field for M-PESA's
receipt."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from services.domain import payment_purpose
from services.domain.business_days import NAIROBI
from services.domain.money import Money
from services.domain.payment import Payer, Payment, Verdict
from services.gateways.ncba.notification_body import NotificationBody, NotifyCredentials
from services.gateways.ncba.notification_values import (
    AMOUNT_DIGITS,
    AMOUNT_MAX,
    equal_in_constant_time,
    is_bank_boilerplate,
    read_amount,
    read_payer,
)

_HASHED = (
    "TransType",
    "TransID",
    "TransTime",
    "TransAmount",
    "AccountNr",
    "Narrative",
    "PhoneNr",
    "CustomerName",
    "Status",
)
_USER = ("User", "Username")
_PASSWORD = ("Password",)
_HASH = ("HashVal", "Hash")
VOUCHED_FOR = (*((name,) for name in _HASHED), _USER, _PASSWORD, _HASH)
# Years in which a notification can have been sent; two digits carry no century
YEARS = range(2025, 2050)

MPESA_TYPES = frozenset({"171", "876", "883"})
# Credits of payments, including Pesalink's
PAYMENT_TYPES = MPESA_TYPES | {"500", "506", "886", "887"}
MPESA_MAX = Money(250_000_00)  # maximum of one M-PESA transaction (facts: M-PESA, Limits)
SUCCESS = "SUCCESS"

_NUMBER_FORM = re.compile(r"[A-Z0-9]{6,20}")
_TIME_FORM = re.compile(r"[0-9]{10}")
_RECEIPT_FORM = re.compile(r"(?=.*[0-9])[A-Z][A-Z0-9]{9}")


def account_hashes(secret_key: str, fields: Mapping[str, str]) -> tuple[str, str]:
    """base64 of the SHA-256's 64 hex digits, as documented, and of its bytes, as observed."""
    words = "".join(fields.get(name, "") for name in _HASHED)
    digest = hashlib.sha256(f"{secret_key}{words}".encode())
    documented = base64.b64encode(digest.hexdigest().encode()).decode()
    return documented, base64.b64encode(digest.digest()).decode()


def is_account_layout(body: NotificationBody) -> bool:
    return "Status" in body.fields and body.fields.get("TransType", "").isdigit()


def read_verdict(body: NotificationBody, credentials: NotifyCredentials) -> Verdict:
    """Every comparison is made, whatever the first one gives, each in constant time."""
    given = body.first_value(_HASH)
    hashes = [
        equal_in_constant_time(given, one)
        for one in account_hashes(credentials.secret_key, body.fields)
    ]
    user = equal_in_constant_time(body.first_value(_USER), credentials.username)
    password = equal_in_constant_time(body.first_value(_PASSWORD), credentials.password)
    if not any(hashes):
        return Verdict.BAD_HASH
    if not (user and password):
        return Verdict.BAD_CREDENTIALS
    if _field(body, "AccountNr") not in credentials.accounts:
        return Verdict.OTHER_PAYBILL
    if _field(body, "Status").strip().upper() != SUCCESS:
        return Verdict.OTHER_STATUS
    is_debit = _field(body, "TransAmount").startswith("-")
    if is_debit or _field(body, "TransType") not in PAYMENT_TYPES:
        return Verdict.OTHER_TYPE
    as_told = tuple(_field(body, name) for name in ("TransID", "TransTime", "TransAmount"))
    return Verdict.TAKEN if _readings(body, credentials) == {as_told} else Verdict.UNREADABLE


def read_receipt(body: NotificationBody) -> str | None:
    """M-PESA's code, which stands before or after the payer's name and phone; if it cannot be told,
    the bank's own number."""
    words = payment_purpose.words(_field(body, "CustomerName"))
    codes = {word for word in words if _RECEIPT_FORM.fullmatch(word)}
    number = _field(body, "TransID").upper()
    if len(codes) == 1 and _field(body, "TransType") in MPESA_TYPES:
        return codes.pop()
    return number if _NUMBER_FORM.fullmatch(number) else None


def read_payment(
    body: NotificationBody, credentials: NotifyCredentials, source: str
) -> Payment | None:
    receipt, number = read_receipt(body), _field(body, "TransID").upper()
    amount, paid_at = read_amount(_field(body, "TransAmount")), read_time(_field(body, "TransTime"))
    if receipt is None or amount is None or paid_at is None:
        return None
    if not _NUMBER_FORM.fullmatch(number) or amount > _most(body):
        return None
    narrative = _field(body, "Narrative").strip()
    elsewhere = (receipt, number, _field(body, "CustomerName"), _field(body, "PhoneNr"))
    words = "" if is_bank_boilerplate(narrative, elsewhere) else narrative
    return Payment(
        receipt=receipt,
        amount=amount,
        paid_at=paid_at,
        account_reference=narrative,
        payer=_payer(body, credentials),
        source=source,
        typed=payment_purpose.typed((words,), credentials.ours),
        bank_reference=number,
    )


def read_time(text: str) -> datetime | None:
    """``yyMMddHHmm`` in Nairobi, as UTC."""
    if not _TIME_FORM.fullmatch(text):
        return None
    try:
        local = datetime.strptime(f"20{text}", "%Y%m%d%H%M").replace(tzinfo=NAIROBI)
    except ValueError:  # 31 February
        return None
    return local.astimezone(UTC)


def _readings(body: NotificationBody, credentials: NotifyCredentials) -> set[tuple[str, str, str]]:
    """Every number, time and amount that the hashed words can be read as: the hash has no
    separators, so digits could be moved from one field to the next without the key.

    A time outside ``YEARS`` is rejected: moved by one digit, 1 January 2026 is in 2060.
    """
    words = "".join(_field(body, name) for name in _HASHED[1:])
    found = set()
    for end in range(6, 21):
        number, time, rest = words[:end], words[end : end + 10], words[end + 10 :]
        paid_at = read_time(time)
        if not _NUMBER_FORM.fullmatch(number.upper()) or paid_at is None:
            continue
        if paid_at.astimezone(NAIROBI).year not in YEARS:
            continue
        for digits in range(1, AMOUNT_DIGITS + 1):
            text, behind = rest[:digits], rest[digits:]
            amount = read_amount(text) if behind.startswith(tuple(credentials.accounts)) else None
            if amount is not None and amount <= _most(body):
                found.add((number, time, text))
    return found


def _most(body: NotificationBody) -> Money:
    return MPESA_MAX if _field(body, "TransType") in MPESA_TYPES else AMOUNT_MAX


def _payer(body: NotificationBody, credentials: NotifyCredentials) -> Payer:
    """From whichever field has a phone; our account's number does not count, and of two numbers
    neither does."""
    given = (_field(body, "PhoneNr"), *_field(body, "CustomerName").split())
    phones = {read_payer(one) for one in given if one.strip() not in credentials.ours}
    known = phones - {Payer("")}
    return known.pop() if len(known) == 1 else Payer("")


def _field(body: NotificationBody, name: str) -> str:
    return body.fields.get(name, "")
