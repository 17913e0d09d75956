"""A payment to the paybill as the bank reports it, and how it was allocated."""

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

# A payment that names no operation pays a top-up only if M-PESA received it within this time of the
# prompt; the bank's clock and ours may differ by the first.
BEFORE_PROMPT = timedelta(minutes=2)
AFTER_PROMPT = timedelta(hours=24)
STATEMENT = "ncba.statement"  # the source whose evidence has a date but no time
SOME_TIME_OF_A_DAY = timedelta(days=1)


_RECEIPT_HEX = 12  # digits of a line's key that replace M-PESA's code if it has none


def stand_in_receipt(key: str) -> str:
    """Replaces M-PESA's code for a payment proved only by a statement line."""
    return f"ST-{key[:_RECEIPT_HEX].upper()}"


class PaymentState(StrEnum):
    """``IN_SUSPENSE`` has no owner yet; ``RELEASED`` had none until its top-up proved to be
    paid."""

    MATCHED = "MATCHED"  # it paid a top-up
    CREDITED = "CREDITED"  # it is credited on its own
    IN_SUSPENSE = "SUSPENDED"
    RELEASED = "RELEASED"  # what it paid was credited on other evidence
    REVERSED = "REVERSED"  # the bank reversed it


class SuspenseReason(StrEnum):
    """Why a payment has no owner."""

    UNMATCHED = "unmatched_payment"  # it names nothing of ours
    AMBIGUOUS = "ambiguous_payment"  # it may have paid one of several
    OTHER_AMOUNT = "other_amount"  # it names a top-up with another amount
    PAID_AGAIN = "paid_again"  # it names a top-up already paid by another receipt
    RECEIPT_OF_PAYOUT = "receipt_of_payout"  # M-PESA's receipt of money that went out to a customer


# It may still prove to have paid an open top-up: evidence about that one releases it.
MAY_HAVE_PAID = (SuspenseReason.AMBIGUOUS, SuspenseReason.PAID_AGAIN)


@dataclass(frozen=True, slots=True)
class Payer:
    """``number`` is ``2547…``, the 64 hex digits of its SHA-256, or empty (facts: NCBA 2); on a
    statement part of it may be masked, ``2547*****678``."""

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
        """False only if the two are certainly different."""
        for one, another in ((self, other), (other, self)):
            if one.phone is not None and another.number:
                return another.matches(one.phone)
        return True


@lru_cache(maxsize=1_024)
def _digests(phone: Phone) -> frozenset[str]:
    """For each way to write the number, since which one NCBA hashes is not known (facts: NCBA
    2)."""
    number = phone.msisdn
    written = (number, f"+{number}", f"0{number[3:]}", number[3:])
    return frozenset(hashlib.sha256(one.encode()).hexdigest() for one in written)


@dataclass(frozen=True, slots=True)
class Payment:
    """What the bank vouches for: ``receipt`` is M-PESA's code, or ``bank_reference``, the bank's
    own number, if M-PESA's is not given; ``account_reference`` is what the payer paid for, as
    received; ``source`` is where the evidence comes from.

    ``typed`` is what the payer typed besides our own account (``payment_purpose.typed``), empty if
    nothing; ``None`` if it cannot be told from the bank's words, as on a statement. ``signed`` is
    the part of it that the bank's hash covers; ``None`` if everything is vouched for.
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
        """When a top-up that it may have paid without naming it would have begun. On a statement,
        ``paid_at`` is the end of the day, and the payment may have been made at any time of that
        day."""
        made = self.paid_at - SOME_TIME_OF_A_DAY if self.source == STATEMENT else self.paid_at
        return made - AFTER_PROMPT, self.paid_at + BEFORE_PROMPT

    @property
    def topups(self) -> Sequence[str]:
        """References of top-ups it may name, whether or not they exist."""
        return payment_purpose.topups(self._said)

    @property
    def partners(self) -> Sequence[str]:
        """Codes of partners it may name."""
        return payment_purpose.partners(self._said)

    @property
    def topup(self) -> str | None:
        """The last of ``topups``: what follows the account number."""
        return next(reversed(self.topups), None)

    @property
    def partner(self) -> str | None:
        """The last of ``partners``."""
        return next(reversed(self.partners), None)

    @property
    def as_signed(self) -> Payment:
        """The same without text that anybody could have inserted."""
        return self if self.signed is None else replace(self, typed=self.signed, signed=None)

    @property
    def has_receipt(self) -> bool:
        """Whether M-PESA's own code is known."""
        return self.receipt != self.bank_reference

    @property
    def _said(self) -> str:
        return self.account_reference if self.typed is None else self.typed


@dataclass(frozen=True, slots=True)
class RecordedPayment:
    """A payment as stored. ``reference`` is ours for it; ``operation`` is what it paid, and
    ``partner`` its owner. ``inferred``: matched by payer and time, not because it names the
    operation."""

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
    """What a notification is worth; only ``TAKEN`` is evidence."""

    TAKEN = "taken"
    UNREADABLE = "unreadable"
    BAD_HASH = "bad_hash"
    BAD_CREDENTIALS = "bad_credentials"
    OTHER_PAYBILL = "other_paybill"
    OTHER_TYPE = "other_type"
    OTHER_STATUS = "other_status"  # it reports a transaction that did not complete
    OTHER_TIME = "other_time"  # in the future, or too long ago to be true
    MAY_BE_KNOWN = "may_be_known"  # it may report a payment known under another number


# Reasons why a valid notification is no evidence: it need not be sent again.
RECEIVED = (Verdict.OTHER_TYPE, Verdict.OTHER_STATUS, Verdict.MAY_BE_KNOWN)


@dataclass(frozen=True, slots=True)
class BankNotification:
    """One message from the bank: its content (``body``: its fields as JSON, without credentials)
    and its verdict. ``digest`` is the SHA-256 of the bytes received, ``receipt`` what it names, if
    readable. ``payment`` is set if the verdict is ``TAKEN``. ``of_account``: it reports movements
    on our account, not on the paybill."""

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
    """A notification as stored; ``times`` is how often it was received."""

    reference: str
    verdict: Verdict
    receipt: str | None
    body: str
    received_at: datetime
    times: int
