"""A payment to the paybill, as the bank tells of it, and what it turned out to be."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from services.domain.days import business_day
from services.domain.ids import ALPHABET, REFERENCE_LENGTH
from services.domain.money import Money
from services.domain.phone import Phone, fits

# A payment that names no operation pays a top-up only if M-PESA took it within this time of the
# prompt; clocks of bank and desk may differ by the first.
BEFORE_PROMPT = timedelta(minutes=2)
AFTER_PROMPT = timedelta(hours=24)
STATEMENT = "ncba.statement"  # the source whose evidence names a day, and no moment
SOME_TIME_OF_A_DAY = timedelta(days=1)

_REFERENCE = re.compile(rf"TU([{ALPHABET}]{{{REFERENCE_LENGTH}}})")
_CODE = re.compile(r"[A-Z0-9]{1,32}")


_RECEIPT_HEX = 12  # digits of a line's key that stand for M-PESA's code where it has none


def without_receipt(key: str) -> str:
    """What stands for M-PESA's code of a payment that only a line of the statement proves."""
    return f"ST-{key[:_RECEIPT_HEX].upper()}"


class PaymentState(StrEnum):
    """``SUSPENDED`` is nobody's yet; ``RELEASED`` was, until its top-up proved to be paid."""

    MATCHED = "MATCHED"  # it paid a top-up
    CREDITED = "CREDITED"  # it is a credit of its own
    SUSPENDED = "SUSPENDED"
    RELEASED = "RELEASED"  # what it paid was credited on other evidence
    REVERSED = "REVERSED"  # the bank took it back


class Suspense(StrEnum):
    """Why a payment could not be given to anybody."""

    UNMATCHED = "unmatched_payment"  # it names nothing of ours
    AMBIGUOUS = "ambiguous_payment"  # it may have paid one of several
    OTHER_AMOUNT = "other_amount"  # it names a top-up of another amount
    PAID_AGAIN = "paid_again"  # it names a top-up that another receipt has paid


# It may yet prove to have paid one that is open: evidence about that one takes it out of suspense.
MAY_HAVE_PAID = (Suspense.AMBIGUOUS, Suspense.PAID_AGAIN)


@dataclass(frozen=True, slots=True)
class Payer:
    """``number`` is ``2547…``, the 64 hex digits of its SHA-256, or nothing (facts: NCBA 2); on a
    statement it may have a masked part, ``2547*****678``."""

    number: str

    @property
    def phone(self) -> Phone | None:
        try:
            return Phone(self.number)
        except ValueError:
            return None

    @property
    def is_hashed(self) -> bool:
        return len(self.number) == 64

    @property
    def masked(self) -> str:
        phone = self.phone
        if phone is not None:
            return phone.masked
        if "*" in self.number:
            return self.number
        return f"{self.number[:6]}…" if self.number else "-"

    def is_of(self, phone: Phone) -> bool:
        if "*" in self.number:
            return fits(self.number, phone)
        return self.number in (_digests(phone) if self.is_hashed else (phone.msisdn,))


@lru_cache(maxsize=1_024)
def _digests(phone: Phone) -> frozenset[str]:
    """Of each way to write the number: which one NCBA takes is not known (facts: NCBA 2)."""
    number = phone.msisdn
    written = (number, f"+{number}", f"0{number[3:]}", number[3:])
    return frozenset(hashlib.sha256(one.encode()).hexdigest() for one in written)


@dataclass(frozen=True, slots=True)
class Payment:
    """What the bank vouches for: ``receipt`` is M-PESA's code, ``account_reference`` what the
    payer paid for, as it came; ``source`` is where the evidence comes from."""

    receipt: str
    amount: Money
    paid_at: datetime
    account_reference: str
    payer: Payer
    source: str

    @property
    def day(self) -> date:
        """The business day on which it was made."""
        return business_day(self.paid_at)

    @property
    def prompted_between(self) -> tuple[datetime, datetime]:
        """When a top-up began that it may have paid without naming it. ``paid_at`` of a payment on
        a statement is the end of its day, and it may have been made at any time of that day."""
        made = self.paid_at - SOME_TIME_OF_A_DAY if self.source == STATEMENT else self.paid_at
        return made - AFTER_PROMPT, self.paid_at + BEFORE_PROMPT

    @property
    def _names(self) -> str:
        """What stands behind the account number, in capitals and without marks: people type
        ``774451#tu-7k3qf9`` as readily as ``TU7K3QF9``."""
        last = self.account_reference.rpartition("#")[2].upper()
        return "".join(char for char in last if char.isascii() and char.isalnum())

    @property
    def topup(self) -> str | None:
        """The reference of the top-up that it names, whether or not there is such a one."""
        match = _REFERENCE.fullmatch(self._names)
        return None if match is None else f"TU-{match[1]}"

    @property
    def partner(self) -> str | None:
        """The partner's code that it may name."""
        return self._names if _CODE.fullmatch(self._names) else None


@dataclass(frozen=True, slots=True)
class Arrived:
    """A payment as we keep it. ``reference`` is ours for it; ``operation`` is what it paid, and
    ``partner`` whose that is. ``inferred``: by payer and time, not because it names it."""

    reference: str
    payment: Payment
    state: PaymentState
    received_at: datetime
    why: Suspense | None = None
    partner: str | None = None
    operation: str | None = None
    inferred: bool = False

    @property
    def amount(self) -> Money:
        return self.payment.amount

    def belongs(self, state: PaymentState, partner: str, operation: str) -> Arrived:
        return replace(self, state=state, partner=partner, operation=operation, inferred=False)


class Verdict(StrEnum):
    """What a notification is worth; only one that is ``TAKEN`` is evidence."""

    TAKEN = "taken"
    UNREADABLE = "unreadable"
    BAD_HASH = "bad_hash"
    BAD_CREDENTIALS = "bad_credentials"
    OTHER_PAYBILL = "other_paybill"
    OTHER_TYPE = "other_type"
    OTHER_TIME = "other_time"  # not yet, or too long ago to be true


@dataclass(frozen=True, slots=True)
class Notification:
    """One message of the bank's: what it said (``body``: its fields as JSON, without credentials)
    and what it is worth. ``digest`` is the SHA-256 of the bytes as they came, ``receipt`` what it
    names, if that can be read. There is a ``payment`` where the verdict is ``TAKEN``."""

    digest: str
    verdict: Verdict
    body: str
    receipt: str | None = None
    payment: Payment | None = None

    def __post_init__(self) -> None:
        assert (self.payment is not None) == (self.verdict is Verdict.TAKEN)


@dataclass(frozen=True, slots=True)
class Kept:
    """A notification as it is kept; ``times`` is how often it has come."""

    reference: str
    verdict: Verdict
    receipt: str | None
    body: str
    received_at: datetime
    times: int
