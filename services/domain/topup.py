"""The life cycle of a top-up: its states and transitions (docs/architecture.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from services.domain.money import Money
from services.domain.phone import Phone


class TopUpState(StrEnum):
    """A top-up is credited only in ``PAID`` and ``PAID_LATE``, once, on evidence of success."""

    OTP_SENT = "OTP_SENT"  # a partner's system began it; a code has been or is being sent
    OTP_EXPIRED = "OTP_EXPIRED"
    OTP_LOCKED = "OTP_LOCKED"
    CANCELLED = "CANCELLED"
    CREATED = "CREATED"  # committed, nothing sent
    SENDING = "SENDING"  # the one request is in flight; only its worker or lease ends it
    PENDING = "PENDING"  # accepted by the bank: a prompt is, or was, on the phone
    PAID = "PAID"
    NOT_PAID = "NOT_PAID"
    REJECTED = "REJECTED"  # refused before any prompt, by the bank or by us on its behalf
    SEND_UNKNOWN = "SEND_UNKNOWN"  # no readable answer to the request: no id to query with
    UNKNOWN = "UNKNOWN"  # 24 hours without an answer
    PAID_LATE = "PAID_LATE"  # paid after we had reported not paid or rejected


class PaymentMethod(StrEnum):
    """How it is paid: by our prompt, or by the payer on their own."""

    PROMPT = "prompt"
    PAYBILL = "paybill"  # the payer types number, account and amount into M-PESA
    QR = "qr"  # the same, by scanning a QR picture


_S = TopUpState
TRANSITIONS: dict[TopUpState, frozenset[TopUpState]] = {
    _S.OTP_SENT: frozenset({_S.CREATED, _S.OTP_EXPIRED, _S.OTP_LOCKED, _S.CANCELLED}),
    _S.OTP_EXPIRED: frozenset(),
    _S.OTP_LOCKED: frozenset(),
    _S.CANCELLED: frozenset(),
    # PAID before its prompt: a payment arrived that names it.
    _S.CREATED: frozenset({_S.SENDING, _S.REJECTED, _S.PAID}),
    # CREATED again: the request provably never left the machine. PAID: the payer was faster than
    # the answer.
    _S.SENDING: frozenset({_S.CREATED, _S.PENDING, _S.REJECTED, _S.SEND_UNKNOWN, _S.PAID}),
    _S.PENDING: frozenset({_S.PAID, _S.NOT_PAID, _S.UNKNOWN}),
    # PENDING: a late answer to the request brought the id after all. REJECTED: by two admins.
    _S.SEND_UNKNOWN: frozenset({_S.PENDING, _S.PAID, _S.REJECTED}),
    _S.UNKNOWN: frozenset({_S.PAID, _S.NOT_PAID}),
    _S.NOT_PAID: frozenset({_S.PAID_LATE}),
    _S.REJECTED: frozenset({_S.PAID_LATE}),
    _S.PAID: frozenset(),
    _S.PAID_LATE: frozenset(),
}
OPEN = frozenset({_S.CREATED, _S.SENDING, _S.PENDING, _S.SEND_UNKNOWN})
CREDITED = frozenset({_S.PAID, _S.PAID_LATE})
_AWAITING = frozenset({_S.SENDING, _S.PENDING, _S.SEND_UNKNOWN, _S.UNKNOWN})

NOT_SENT_FOR = timedelta(seconds=60)  # how long an unsent prompt is retried
NOT_SENT_EVERY = timedelta(seconds=5)
SLOW_AFTER = timedelta(minutes=3)
POLLED_FOR = timedelta(hours=24)  # after the prompt; then the outcome is UNKNOWN
BY_HAND_FOR = timedelta(hours=24)  # how long a payment without a prompt is awaited

# (age up to, interval): how often the bank is queried about an open prompt.
POLLS = (
    (timedelta(seconds=30), timedelta(seconds=5)),
    (timedelta(seconds=90), timedelta(seconds=10)),
    (timedelta(minutes=3), timedelta(seconds=15)),
    (timedelta(minutes=10), timedelta(seconds=30)),
    (timedelta(hours=1), timedelta(minutes=5)),
    (POLLED_FOR, timedelta(minutes=30)),
)
POLL_SPREAD = 0.2  # in either direction, so that prompts opened together are not polled together


def next_poll(sent_at: datetime, now: datetime, spread: float) -> datetime:
    """When to query the bank again; ``spread`` is drawn from -1 to 1.

    The end of the 24 hours is always a due time itself, and so is the third minute, when the
    partner is told that this is slow.
    """
    age = now - sent_at
    interval = next((every for upto, every in POLLS if age < upto), POLLS[-1][1])
    due = now + interval * (1 + POLL_SPREAD * spread)
    for milestone in (sent_at + SLOW_AFTER, sent_at + POLLED_FOR):
        if now < milestone < due:
            return milestone
    return due


_FAULT = re.compile(
    r"\b(wrong|invalid|incorrect|format|unknown|not found|not exist|too long)\b", re.IGNORECASE
)
_ACCOUNT = re.compile(r"\baccount|wrong format", re.IGNORECASE)
_PAYERS = re.compile(r"phone|msisdn|amount|pin\b|balance|funds", re.IGNORECASE)


def refuses_account(description: str) -> bool:
    """Whether the bank refuses the ``AccountNo``, which comes from our settings, rather than the
    payer: no prompt goes out until the setting is corrected (facts: NCBA 6)."""
    return (
        _ACCOUNT.search(description) is not None
        and _FAULT.search(description) is not None
        and _PAYERS.search(description) is None
    )


def account_reference(reference: str) -> str:
    """Without the dash, as sent in NCBA's ``AccountNo``."""
    return reference.replace("-", "")


@dataclass(frozen=True, slots=True)
class TopUp:
    """One top-up as stored. Times are UTC; ``slow`` is a flag, not a state."""

    reference: str
    partner: str
    person_id: int | None
    channel: str
    address: str
    language: str
    amount: Money
    phone: Phone
    state: TopUpState
    reason: str | None
    created_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None
    bank_id: str | None  # NCBA's TransactionID
    receipt: str | None  # M-PESA's code, once a notification or statement line brings it
    attempt: int  # fencing number: increases with every claim
    due_at: datetime | None  # when work on it is due; while claimed, when the lease ends
    slow: bool
    way: PaymentMethod = PaymentMethod.PROMPT

    def transition_to(self, state: TopUpState, **changes: Any) -> TopUp:
        """The top-up in its next state. Raises ``AssertionError`` for a transition not allowed."""
        assert state in TRANSITIONS[self.state], f"{self.state} cannot become {state}"
        return replace(self, state=state, **changes)

    @property
    def can_be_queried(self) -> bool:
        """The bank can still say something new, and we have its id to query with."""
        return self.bank_id is not None and (
            self.state in (TopUpState.PENDING, TopUpState.UNKNOWN)
            or (self.state is TopUpState.NOT_PAID and self.due_at is not None)
        )

    @property
    def awaits_evidence(self) -> bool:
        """It may have been paid, which is not known yet."""
        return self.state in _AWAITING or (
            self.state is TopUpState.NOT_PAID and self.due_at is not None
        )

    @property
    def takes_payment(self) -> bool:
        """A payment may belong to it: it awaits one, or was credited on the bank's word."""
        return self.state in CREDITED or self.awaits_evidence

    @property
    def by_hand(self) -> bool:
        """Without a prompt: only an incoming payment settles it."""
        return self.way is not PaymentMethod.PROMPT

    @property
    def began_at(self) -> datetime:
        """When its payer could first pay: the time of the prompt, if there was one."""
        return self.sent_at or self.created_at

    @property
    def account_reference(self) -> str:
        return account_reference(self.reference)


class CreditedTopUp(NamedTuple):
    """What reconciling with the bank's books needs of a credited top-up."""

    reference: str
    receipt: str | None
    amount: Money
