"""NCBA's paybill push notifications, as they come in (facts: NCBA 2): JSON and XML, two layouts.

What is read here is worth something only if its hash and its credentials are right; the words
that go into the hash are taken exactly as they came.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NoReturn
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from services.domain.days import NAIROBI
from services.domain.money import Money
from services.domain.payment import Notification, Payer, Payment, Verdict
from services.domain.phone import Phone

SOURCE = "ncba.notification"
FIELDS_MAX = 64  # a notification has thirteen
FIELD_MAX = 512  # characters of one value
AMOUNT_MAX = Money(100_000_000_00)  # far above what M-PESA moves at once: 250,000 (facts: M-PESA)
AMOUNT_DIGITS = 12  # with the point, of the longest amount that is read
REQUEST = "NCBAPaymentNotificationRequest"

# What a value is called, in NCBA's own layout first, then in the other one.
_TYPE = ("TransType",)
_RECEIPT = ("TransID",)
_TIME = ("TransTime",)
_AMOUNT = ("TransAmount",)
_SHORT_CODE = ("BusinessShortCode",)
_ACCOUNT = ("BillRefNumber", "AccountNr")
_PHONE = ("Mobile", "PhoneNr")
_NAME = ("name", "CustomerName")
_USER = ("Username", "User")
_PASSWORD = ("Password",)
_HASH = ("Hash", "HashVal")
_SECRET = frozenset(name.lower() for name in (*_USER, *_PASSWORD, *_HASH))

PAY_BILL = "Pay Bill"
_RECEIPT_FORM = re.compile(r"[A-Z0-9]{6,20}")
_AMOUNT_FORM = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?")
_TIME_FORM = re.compile(r"20[0-9]{12}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"(?:\+?254|0)?([17][0-9]{8})")


@dataclass(frozen=True, slots=True)
class NotifyCredentials:
    """What we gave NCBA to prove itself with, and the two readings of ``CreditAccount``."""

    username: str
    password: str = field(repr=False)
    secret_key: str = field(repr=False)
    paybill_no: str
    account_number: str


def read_notification(body: bytes, *, xml: bool, credentials: NotifyCredentials) -> Notification:
    """What came, and what it is worth. Never raises; the body is limited by whoever received it."""
    digest = hashlib.sha256(body).hexdigest()
    fields = _read_xml(body) if xml else _read_json(body)
    if fields is None:
        # It may hold the password where nobody can tell: its size is all that is kept.
        kept = json.dumps({"bytes": len(body)})
        return Notification(digest, Verdict.UNREADABLE, kept)
    kept = _kept(fields, credentials)
    receipt = _one(fields, _RECEIPT).upper()
    readable = receipt if _RECEIPT_FORM.fullmatch(receipt) else None
    verdict = _verdict(fields, credentials)
    payment = _payment(fields) if verdict is Verdict.TAKEN else None
    if verdict is Verdict.TAKEN and payment is None:
        verdict = Verdict.UNREADABLE
    return Notification(digest, verdict, kept, readable, payment)


def notification_hash(
    secret_key: str, fields: Mapping[str, str], credit_account: str, account_reference: str
) -> str:
    """base64 of the 64 hex digits of the SHA-256, over the words exactly as they came."""
    words = (
        secret_key,
        _one(fields, _TYPE),
        _one(fields, _RECEIPT),
        _one(fields, _TIME),
        _one(fields, _AMOUNT),
        credit_account,
        account_reference,
        _one(fields, _PHONE),
        _one(fields, _NAME),
        "1",
    )
    digest = hashlib.sha256("".join(words).encode()).hexdigest()
    return base64.b64encode(digest.encode()).decode()


def _verdict(fields: Mapping[str, str], credentials: NotifyCredentials) -> Verdict:
    """Everything is compared, whatever the first comparison says, each in constant time."""
    given = _one(fields, _HASH)
    ours = {credentials.paybill_no, credentials.account_number}
    accounts = ours | {_one(fields, _SHORT_CODE)} - {""}
    hashes = [
        _same(given, notification_hash(credentials.secret_key, fields, one, _account(fields)))
        for one in sorted(accounts)
    ]
    user = _same(_one(fields, _USER), credentials.username)
    password = _same(_one(fields, _PASSWORD), credentials.password)
    if not any(hashes):
        return Verdict.BAD_HASH
    if not (user and password):
        return Verdict.BAD_CREDENTIALS
    if _one(fields, _SHORT_CODE) not in ours | {""}:
        return Verdict.OTHER_PAYBILL
    if len(_amounts(fields, ours)) != 1:
        return Verdict.UNREADABLE
    if _one(fields, _TYPE).casefold() != PAY_BILL.casefold():
        return Verdict.OTHER_TYPE
    return Verdict.TAKEN


def _amounts(fields: Mapping[str, str], accounts: Collection[str]) -> set[str]:
    """Every amount that the hashed words can be read to have.

    The hash knows no borders between its words: of "10" and "880100" it is the hash of "108" and
    "80100" as well, so that somebody without the key could raise an amount.
    """
    amount, account = _one(fields, _AMOUNT), _account(fields)
    found = {amount}
    for given in accounts:
        words = f"{amount}{given}{account}"
        for end in range(1, min(len(words), AMOUNT_DIGITS) + 1):
            other = words[end:].startswith(tuple(accounts))
            if other and _AMOUNT_FORM.fullmatch(words[:end]):
                found.add(words[:end])
    return found


def _same(given: str, ours: str) -> bool:
    return hmac.compare_digest(given.encode(), ours.encode())


def _payment(fields: Mapping[str, str]) -> Payment | None:
    receipt = _one(fields, _RECEIPT).upper()
    amount, at = _one(fields, _AMOUNT), _one(fields, _TIME)
    if not (_RECEIPT_FORM.fullmatch(receipt) and _AMOUNT_FORM.fullmatch(amount)):
        return None
    money = Money.of(amount)
    paid_at = read_time(at)
    if paid_at is None or not Money(0) < money <= AMOUNT_MAX:
        return None
    return Payment(
        receipt=receipt,
        amount=money,
        paid_at=paid_at,
        account_reference=_account(fields).strip(),
        payer=read_payer(_one(fields, _PHONE)),
        source=SOURCE,
    )


def read_time(text: str) -> datetime | None:
    """``YYYYMMDDhhmmss`` in Nairobi, as UTC."""
    if not _TIME_FORM.fullmatch(text):
        return None
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=NAIROBI).astimezone(UTC)
    except ValueError:  # 31 February
        return None


def read_payer(text: str) -> Payer:
    """Digits in any of their forms, or a SHA-256; anything else is a payer nobody knows."""
    plain = text.strip()
    if _SHA256.fullmatch(plain.lower()):
        return Payer(plain.lower())
    match = _NUMBER.fullmatch(plain)
    return Payer(Phone(f"254{match[1]}").msisdn if match else "")


# The fields ------------------------------------------------------------------------------------


def _account(fields: Mapping[str, str]) -> str:
    return _one(fields, _ACCOUNT)


def _one(fields: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((fields[name] for name in names if name in fields), "")


def _kept(fields: Mapping[str, str], credentials: NotifyCredentials) -> str:
    """The fields without credentials, wherever the bank or somebody else has put them."""
    secrets = (credentials.password, credentials.secret_key)
    kept = {
        name: value
        for name, value in fields.items()
        if name.lower() not in _SECRET and not any(one and one in name + value for one in secrets)
    }
    return json.dumps(kept, ensure_ascii=False, sort_keys=True)


def _read_json(body: bytes) -> Mapping[str, str] | None:
    """One flat object; numbers keep the form in which they came."""
    try:
        pairs = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_once,
            parse_float=str,
            parse_int=str,
            parse_constant=_refuse,
        )
    except (ValueError, RecursionError):
        return None
    if not isinstance(pairs, dict):
        return None
    return _fields((name, "" if value is None else value) for name, value in pairs.items())


def _read_xml(body: bytes) -> Mapping[str, str] | None:
    """The elements of the request, inside whatever envelope it has; namespaces are left aside."""
    try:
        root = fromstring(body.decode("utf-8-sig").strip())
    except (ValueError, ParseError, DefusedXmlException):
        return None
    requests = [element for element in root.iter() if _local(element.tag) == REQUEST]
    if len(requests) != 1:
        return None
    named = [(_local(child.tag), child.text or "") for child in requests[0] if not len(child)]
    return _fields(iter(named)) if len(dict(named)) == len(named) else None


def _local(tag: object) -> str:
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object that says two things of one name says nothing."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a value")


def _fields(pairs: Iterator[tuple[str, object]]) -> Mapping[str, str] | None:
    fields: dict[str, str] = {}
    for name, value in pairs:
        if not isinstance(value, str) or len(fields) == FIELDS_MAX:
            return None
        if max(len(name), len(value)) > FIELD_MAX or "\x00" in name + value:
            return None
        try:
            value.encode()
            name.encode()
        except UnicodeEncodeError:  # half of a surrogate pair, written as \ud800
            return None
        fields[name] = value
    return fields
