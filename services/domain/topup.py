"""The life of a top-up: its states, and which may follow which (docs/architecture.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from services.domain.money import Money
from services.domain.phone import Phone


class TopUpState(StrEnum):
    """A top-up is credited in ``PAID`` and ``PAID_LATE`` only, once, on success evidence."""

    CREATED = "CREATED"  # committed, nothing sent
    SENDING = "SENDING"  # the one request is on its way; only its worker or its lease ends it
    PENDING = "PENDING"  # the bank took it: a prompt is, or was, on the phone
    PAID = "PAID"
    NOT_PAID = "NOT_PAID"
    REJECTED = "REJECTED"  # the bank, or we for it, said no before any prompt
    SEND_UNKNOWN = "SEND_UNKNOWN"  # no readable answer to the prompt request: no id to ask about
    UNKNOWN = "UNKNOWN"  # 24 hours without an answer
    PAID_LATE = "PAID_LATE"  # paid after we had said not paid or rejected


class PaymentMethod(StrEnum):
    """How it is to be paid: by a prompt of ours, or by the payer's own doing."""

    PROMPT = "prompt"
    PAYBILL = "paybill"  # number, account and amount typed into M-PESA
    QR = "qr"  # the same, by scanning a picture


_S = TopUpState
TRANSITIONS: dict[TopUpState, frozenset[TopUpState]] = {
    # PAID before its prompt: a payment came that names it.
    _S.CREATED: frozenset({_S.SENDING, _S.REJECTED, _S.PAID}),
    # CREATED again: the request provably never left the machine. PAID: the payer was faster than
    # the answer.
    _S.SENDING: frozenset({_S.CREATED, _S.PENDING, _S.REJECTED, _S.SEND_UNKNOWN, _S.PAID}),
    _S.PENDING: frozenset({_S.PAID, _S.NOT_PAID, _S.UNKNOWN}),
    # PENDING: a late answer to the request brought the id after all. REJECTED: two admins say so.
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

NOT_SENT_FOR = timedelta(seconds=60)  # how long an unsent prompt is tried again
NOT_SENT_EVERY = timedelta(seconds=5)
SLOW_AFTER = timedelta(minutes=3)
POLLED_FOR = timedelta(hours=24)  # after the prompt; then the outcome is UNKNOWN
BY_HAND_FOR = timedelta(hours=24)  # how long a payment without a prompt is waited for

# (age up to, interval): how often the bank is asked about an open prompt.
POLLS = (
    (timedelta(seconds=30), timedelta(seconds=5)),
    (timedelta(seconds=90), timedelta(seconds=10)),
    (timedelta(minutes=3), timedelta(seconds=15)),
    (timedelta(minutes=10), timedelta(seconds=30)),
    (timedelta(hours=1), timedelta(minutes=5)),
    (POLLED_FOR, timedelta(minutes=30)),
)
POLL_SPREAD = 0.2  # either way, so that prompts opened together do not poll together


def next_poll(sent_at: datetime, now: datetime, spread: float) -> datetime:
    """When to ask the bank again; ``spread`` is drawn from -1 to 1.

    The end of the 24 hours is itself a due moment, never passed over, and so is the third
    minute, at which the partner is told that this is slow.
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
    """Whether the bank's no is about what ``AccountNo`` carries, which a setting makes, and not
    about the payer: until it is put right no prompt goes out (facts: NCBA 6)."""
    return (
        _ACCOUNT.search(description) is not None
        and _FAULT.search(description) is not None
        and _PAYERS.search(description) is None
    )


def account_reference(reference: str) -> str:
    """Without its dash, as it travels in NCBA's ``AccountNo``."""
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
    receipt: str | None  # M-PESA's code, when a notification or the statement brought it
    attempt: int  # fencing number: grows with every claim
    due_at: datetime | None  # when work on it is due; while claimed, when the lease ends
    slow: bool
    way: PaymentMethod = PaymentMethod.PROMPT

    def transition_to(self, state: TopUpState, **changes: Any) -> TopUp:
        """The top-up in its next state. Raises ``AssertionError`` where no arrow leads."""
        assert state in TRANSITIONS[self.state], f"{self.state} cannot become {state}"
        return replace(self, state=state, **changes)

    @property
    def can_be_queried(self) -> bool:
        """The bank can still say something new about it, and we have its id to ask with."""
        return self.bank_id is not None and (
            self.state in (TopUpState.PENDING, TopUpState.UNKNOWN)
            or (self.state is TopUpState.NOT_PAID and self.due_at is not None)
        )

    @property
    def awaits_evidence(self) -> bool:
        """A payment may have been made for it, and it is not known yet."""
        return self.state in _AWAITING or (
            self.state is TopUpState.NOT_PAID and self.due_at is not None
        )

    @property
    def takes_payment(self) -> bool:
        """A payment may be its own: it waits for one, or was credited by the bank's word."""
        return self.state in CREDITED or self.awaits_evidence

    @property
    def by_hand(self) -> bool:
        """Nobody was prompted: only a payment that comes in settles it."""
        return self.way is not PaymentMethod.PROMPT

    @property
    def began_at(self) -> datetime:
        """When its payer could pay: the prompt's moment, where there is one."""
        return self.sent_at or self.created_at

    @property
    def account_reference(self) -> str:
        return account_reference(self.reference)
