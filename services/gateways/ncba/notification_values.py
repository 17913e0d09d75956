"""How to read single values of NCBA's notifications (facts: NCBA 2 and 6)."""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection

from services.domain import payment_purpose
from services.domain.money import Money
from services.domain.payment import Payer
from services.domain.phone import Phone

AMOUNT_MAX = Money(100_000_000_00)  # far above M-PESA's maximum of 250,000 (facts: M-PESA)
AMOUNT_DIGITS = 12  # with the point, of the longest amount that is read
AMOUNT = re.compile(r"(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,2})?")

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"(?:\+?254|0)?([17][0-9]{8})")
# What the bank writes if the payer typed nothing; as single words, because the form varies.
_FIXED = frozenset({"PAYBILL", "PAYBILLPAYMENT", "PAYBILLONLINE", "CUSTOMERPAYBILLONLINE"})
_BEGINS = (["MPESA"], ["M", "PESA"])
_GOES_ON = frozenset(
    payment_purpose.words("""
    a bill business by C2B credit customer deposit for from mobile money NCBA of online pay paybill
    payment payments receipt received ref to transaction transfer trf via
""")
)
_DIGITS_MIN = 3  # in a word of the bank's that is one of its own numbers


def equal_in_constant_time(given: str, ours: str) -> bool:
    return hmac.compare_digest(given.encode(), ours.encode())


def read_amount(text: str) -> Money | None:
    """Shillings with a decimal point; a comma, which could separate thousands or cents, is
    refused."""
    if not AMOUNT.fullmatch(text):
        return None
    money = Money.of(text)
    return money if Money(0) < money <= AMOUNT_MAX else None


def read_payer(text: str) -> Payer:
    """Digits in any of their forms, or a SHA-256; anything else is an unknown payer."""
    plain = text.strip()
    if _SHA256.fullmatch(plain.lower()):
        return Payer(plain.lower())
    match = _NUMBER.fullmatch(plain)
    return Payer(Phone(f"254{match[1]}").msisdn if match else "")


def is_bank_boilerplate(text: str, elsewhere: Collection[str]) -> bool:
    """Whether the bank wrote it because the payer typed nothing: "Paybill payment", or "MPESA" and
    what other fields of the notification say (``elsewhere``)."""
    words = payment_purpose.words(text)
    if "".join(words) in _FIXED:
        return True
    rest = next((words[len(begin) :] for begin in _BEGINS if words[: len(begin)] == begin), None)
    if rest is None:
        return False
    known = _GOES_ON.union(*map(payment_purpose.words, elsewhere))
    return all(word in known or sum(map(str.isdigit, word)) >= _DIGITS_MIN for word in rest)
