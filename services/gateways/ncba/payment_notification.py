"""NCBA's incoming payment notifications (facts: NCBA 2 and 6): JSON and XML, about the paybill in
two layouts, and about the account (``account_notification``).

A notification counts only if its hash and credentials are right; the words that are hashed are used
exactly as received.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from services.domain import payment_purpose
from services.domain.business_days import NAIROBI
from services.domain.payment import BankNotification, Payment, Verdict
from services.gateways.ncba import account_notification as account_level
from services.gateways.ncba.notification_body import (
    FIELD_MAX,
    REQUEST,
    NotificationBody,
    NotificationProduct,
    NotifyCredentials,
    read_body,
    redacted_body,
    redacted_fields,
)
from services.gateways.ncba.notification_values import (
    AMOUNT,
    AMOUNT_DIGITS,
    equal_in_constant_time,
    is_bank_boilerplate,
    read_amount,
    read_payer,
)

__all__ = [
    "FIELD_MAX",
    "REQUEST",
    "SOURCE",
    "NotificationProduct",
    "NotifyCredentials",
    "notification_hash",
    "read_notification",
]

SOURCE = "ncba.notification"

# The names of each value, NCBA's own layout first, then the other one.
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
_NARRATIVE = ("Narrative",)
_BANK_REFERENCE = ("FTRef",)
# Without these it cannot be told what was signed.
_VOUCHED_FOR = (
    *(_TYPE, _RECEIPT, _TIME, _AMOUNT, _SHORT_CODE, _ACCOUNT, _PHONE, _NAME),
    *(_USER, _PASSWORD, _HASH),
)

PAY_BILL = "Pay Bill"
_RECEIPT_FORM = re.compile(r"[A-Z0-9]{6,20}")
_TIME_FORM = re.compile(r"20[0-9]{12}")


def read_notification(
    body: bytes, *, xml: bool, credentials: NotifyCredentials
) -> BankNotification:
    """The notification and its verdict. Never raises; the size is limited by whoever received
    it."""
    digest = hashlib.sha256(body).hexdigest()
    found = read_body(body, xml=xml)
    of_account = _is_of_account(found, credentials.product)
    vouched_for = account_level.VOUCHED_FOR if of_account else _VOUCHED_FOR
    if found is None or not found.can_read(vouched_for):
        whole = redacted_body(body, credentials)
        return BankNotification(digest, Verdict.UNREADABLE, whole, of_account=of_account)
    verdict: Verdict
    payment: Payment | None
    if of_account:
        receipt = account_level.read_receipt(found)
        verdict = account_level.read_verdict(found, credentials)
        payment = account_level.read_payment(found, credentials, SOURCE)
    else:
        found = _as_signed(found, credentials)
        receipt = _receipt(found)
        verdict = _verdict(found, credentials)
        payment = _payment(found, credentials)
    if verdict is Verdict.TAKEN and payment is None:
        verdict = Verdict.UNREADABLE
    return BankNotification(
        digest,
        verdict,
        redacted_fields(found, credentials),
        receipt,
        payment if verdict is Verdict.TAKEN else None,
        of_account=of_account,
    )


def _is_of_account(body: NotificationBody | None, product: NotificationProduct) -> bool:
    """Each product has its own hash, so that neither can pass for the other."""
    if product is not NotificationProduct.BOTH:
        return product is NotificationProduct.ACCOUNT
    return body is not None and account_level.is_account_layout(body)


def notification_hash(
    secret_key: str, fields: Mapping[str, str], credit_account: str, account_reference: str
) -> str:
    """base64 of the 64 hex digits of the SHA-256 over the words exactly as received."""
    body = NotificationBody(fields, frozenset(), ())
    return _hash(secret_key, body, credit_account, account_reference)


def _hash(
    secret_key: str, body: NotificationBody, credit_account: str, account_reference: str
) -> str:
    words = (
        secret_key,
        body.first_value(_TYPE),
        body.first_value(_RECEIPT),
        body.first_value(_TIME),
        body.first_value(_AMOUNT),
        credit_account,
        account_reference,
        body.first_value(_PHONE),
        body.first_value(_NAME),
        "1",
    )
    digest = hashlib.sha256("".join(words).encode()).hexdigest()
    return base64.b64encode(digest.encode()).decode()


def _as_signed(body: NotificationBody, credentials: NotifyCredentials) -> NotificationBody:
    """Read by the names of the signed layout, if names of the other are present too."""
    turned = replace(body, other_layout=True)
    plain_holds, turned_holds = _is_signed(body, credentials), _is_signed(turned, credentials)
    return turned if turned_holds and not plain_holds else body


def _is_signed(body: NotificationBody, credentials: NotifyCredentials) -> bool:
    """Every hash is compared, whatever the first comparison gives, each in constant time."""
    given, account = body.first_value(_HASH), body.first_value(_ACCOUNT)
    hashes = [
        equal_in_constant_time(given, _hash(credentials.secret_key, body, one, account))
        for one in sorted(credentials.accounts | {body.first_value(_SHORT_CODE)} - {""})
    ]
    return any(hashes)


def _verdict(body: NotificationBody, credentials: NotifyCredentials) -> Verdict:
    """Every comparison is made, whatever the first one gives, each in constant time."""
    short_code, ours = body.first_value(_SHORT_CODE), credentials.accounts
    is_signed = _is_signed(body, credentials)
    users = [
        equal_in_constant_time(body.fields.get(name, ""), credentials.username) for name in _USER
    ]
    password = equal_in_constant_time(body.first_value(_PASSWORD), credentials.password)
    if not is_signed:
        return Verdict.BAD_HASH
    if not (any(users) and password):
        return Verdict.BAD_CREDENTIALS
    if short_code not in ours | {""}:
        return Verdict.OTHER_PAYBILL
    if len(_amounts(body, ours)) != 1:
        return Verdict.UNREADABLE
    if body.first_value(_TYPE).casefold() != PAY_BILL.casefold():
        return Verdict.OTHER_TYPE
    return Verdict.TAKEN


def _amounts(body: NotificationBody, accounts: Collection[str]) -> set[str]:
    """Every amount that the hashed words can be read as.

    The hash has no separators between words: that of "10" and "880100" also fits "108" and "80100",
    so somebody without the key could raise an amount.
    """
    amount, account = body.first_value(_AMOUNT), body.first_value(_ACCOUNT)
    found = {amount}
    for given in accounts:
        words = f"{amount}{given}{account}"
        for end in range(1, min(len(words), AMOUNT_DIGITS) + 1):
            other = words[end:].startswith(tuple(accounts))
            if other and AMOUNT.fullmatch(words[:end]):
                found.add(words[:end])
    return found


def _receipt(body: NotificationBody) -> str | None:
    receipt = body.first_value(_RECEIPT).upper()
    return receipt if _RECEIPT_FORM.fullmatch(receipt) else None


def _payment(body: NotificationBody, credentials: NotifyCredentials) -> Payment | None:
    receipt, amount = _receipt(body), read_amount(body.first_value(_AMOUNT))
    paid_at = read_time(body.first_value(_TIME))
    if receipt is None or amount is None or paid_at is None:
        return None
    # The bank's own number and the narrative are not covered by the hash.
    account, narrative = body.first_value(_ACCOUNT).strip(), body.first_value(_NARRATIVE).strip()
    number = body.first_value(_BANK_REFERENCE).strip().upper()
    elsewhere = (
        receipt,
        number,
        body.first_value(_PHONE),
        body.first_value(_NAME),
        body.first_value(_AMOUNT),
    )
    signed = "" if is_bank_boilerplate(account, elsewhere) else account
    beside = "" if is_bank_boilerplate(narrative, elsewhere) else narrative
    parts = [one for one in (account, beside) if one]
    return Payment(
        receipt=receipt,
        amount=amount,
        paid_at=paid_at,
        account_reference=payment_purpose.PARTED.join(dict.fromkeys(parts)),
        payer=read_payer(body.first_value(_PHONE)),
        source=SOURCE,
        typed=payment_purpose.typed((signed, beside), credentials.ours),
        signed=payment_purpose.typed((signed,), credentials.ours),
        bank_reference=number or None,
    )


def read_time(text: str) -> datetime | None:
    """``YYYYMMDDhhmmss`` in Nairobi, as UTC."""
    if not _TIME_FORM.fullmatch(text):
        return None
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=NAIROBI).astimezone(UTC)
    except ValueError:  # 31 February
        return None
