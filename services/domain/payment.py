"""A payment to the paybill, as the bank tells of it, and what it turned out to be."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from services.domain import payment_purpose
from services.domain.business_days import business_day
from services.domain.money import Money
from services.domain.phone import Phone, fits

# A payment that names no operation pays a top-up only if M-PESA took it within this time of the
# prompt; clocks of bank and desk may differ by the first.
BEFORE_PROMPT = timedelta(minutes=2)
AFTER_PROMPT = timedelta(hours=24)
STATEMENT = "ncba.statement"  # the source whose evidence names a day, and no moment
SOME_TIME_OF_A_DAY = timedelta(days=1)


_RECEIPT_HEX = 12  # digits of a line's key that stand for M-PESA's code where it has none


def stand_in_receipt(key: str) -> str:
    """What stands for M-PESA's code of a payment that only a line of the statement proves."""
    return f"ST-{key[:_RECEIPT_HEX].upper()}"


class PaymentState(StrEnum):
    """``SUSPENDED`` is nobody's yet; ``RELEASED`` was, until its top-up proved to be paid."""

    MATCHED = "MATCHED"  # it paid a top-up
    CREDITED = "CREDITED"  # it is a credit of its own
    IN_SUSPENSE = "SUSPENDED"
    RELEASED = "RELEASED"  # what it paid was credited on other evidence
    REVERSED = "REVERSED"  # the bank took it back


class SuspenseReason(StrEnum):
    """Why a payment could not be given to anybody."""

    UNMATCHED = "unmatched_payment"  # it names nothing of ours
    AMBIGUOUS = "ambiguous_payment"  # it may have paid one of several
    OTHER_AMOUNT = "other_amount"  # it names a top-up of another amount
    PAID_AGAIN = "paid_again"  # it names a top-up that another receipt has paid


# It may yet prove to have paid one that is open: evidence about that one takes it out of suspense.
MAY_HAVE_PAID = (SuspenseReason.AMBIGUOUS, SuspenseReason.PAID_AGAIN)


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

    def matches(self, phone: Phone) -> bool:
        if "*" in self.number:
            return fits(self.number, phone)
        return self.number in (_digests(phone) if self.is_hashed else (phone.msisdn,))

    def may_be_same_as(self, other: Payer) -> bool:
        """False where the two are surely not one."""
        for one, another in ((self, other), (other, self)):
            if one.phone is not None and another.number:
                return another.matches(one.phone)
        return True


@lru_cache(maxsize=1_024)
def _digests(phone: Phone) -> frozenset[str]:
    """Of each way to write the number: which one NCBA takes is not known (facts: NCBA 2)."""
    number = phone.msisdn
    written = (number, f"+{number}", f"0{number[3:]}", number[3:])
    return frozenset(hashlib.sha256(one.encode()).hexdigest() for one in written)


@dataclass(frozen=True, slots=True)
class Payment:
    """What the bank vouches for: ``receipt`` is M-PESA's code, or ``bank_reference``, the bank's
    own number, where M-PESA's is not told; ``account_reference`` is what the payer paid for, as it
    came; ``source`` is where the evidence comes from.

    ``typed`` is what the payer typed beside our own account (``paid_for.typed``), empty where that
    is nothing; ``None`` where nobody can tell it from the bank's words, as on a statement.
    ``signed`` is as much of it as the bank's hash covers; ``None`` where all is vouched for.
    """

    receipt: str
    amount: Money
    paid_at: datetime
    account_reference: str
    payer: Payer
    source: str
    typed: str | None = None
    signed: str | None = None
    bank_reference: str | None = None

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
    def topups(self) -> Sequence[str]:
        """References of top-ups that it may name, whether or not there are such."""
        return payment_purpose.topups(self._said)

    @property
    def partners(self) -> Sequence[str]:
        """Codes of partners that it may name."""
        return payment_purpose.partners(self._said)

    @property
    def topup(self) -> str | None:
        """The last of ``topups``: what stands behind the account."""
        return next(reversed(self.topups), None)

    @property
    def partner(self) -> str | None:
        """The last of ``partners``."""
        return next(reversed(self.partners), None)

    @property
    def as_signed(self) -> Payment:
        """The same without the words that anybody could have put there."""
        return self if self.signed is None else replace(self, typed=self.signed, signed=None)

    @property
    def has_receipt(self) -> bool:
        """Whether M-PESA's own code of it is known."""
        return self.receipt != self.bank_reference

    @property
    def _said(self) -> str:
        return self.account_reference if self.typed is None else self.typed


@dataclass(frozen=True, slots=True)
class RecordedPayment:
    """A payment as we keep it. ``reference`` is ours for it; ``operation`` is what it paid, and
    ``partner`` whose that is. ``inferred``: by payer and time, not because it names it."""

    reference: str
    payment: Payment
    state: PaymentState
    received_at: datetime
    why: SuspenseReason | None = None
    partner: str | None = None
    operation: str | None = None
    inferred: bool = False

    @property
    def amount(self) -> Money:
        return self.payment.amount

    def allocated_to(self, state: PaymentState, partner: str, operation: str) -> RecordedPayment:
        return replace(self, state=state, partner=partner, operation=operation, inferred=False)


class Verdict(StrEnum):
    """What a notification is worth; only one that is ``TAKEN`` is evidence."""

    TAKEN = "taken"
    UNREADABLE = "unreadable"
    BAD_HASH = "bad_hash"
    BAD_CREDENTIALS = "bad_credentials"
    OTHER_PAYBILL = "other_paybill"
    OTHER_TYPE = "other_type"
    OTHER_STATUS = "other_status"  # it tells of what did not happen
    OTHER_TIME = "other_time"  # not yet, or too long ago to be true
    MAY_BE_KNOWN = "may_be_known"  # it may tell of a payment that is known by another number


# Why a notification that is as it should be is no evidence: it need not be sent again.
RECEIVED = (Verdict.OTHER_TYPE, Verdict.OTHER_STATUS, Verdict.MAY_BE_KNOWN)


@dataclass(frozen=True, slots=True)
class BankNotification:
    """One message of the bank's: what it said (``body``: its fields as JSON, without credentials)
    and what it is worth. ``digest`` is the SHA-256 of the bytes as they came, ``receipt`` what it
    names, if that can be read. There is a ``payment`` where the verdict is ``TAKEN``.
    ``of_account``: it tells of what moves on our account, not of the paybill."""

    digest: str
    verdict: Verdict
    body: str
    receipt: str | None = None
    payment: Payment | None = None
    of_account: bool = False

    def __post_init__(self) -> None:
        assert (self.payment is not None) == (self.verdict is Verdict.TAKEN)


@dataclass(frozen=True, slots=True)
class StoredNotification:
    """A notification as it is kept; ``times`` is how often it has come."""

    reference: str
    verdict: Verdict
    receipt: str | None
    body: str
    received_at: datetime
    times: int
