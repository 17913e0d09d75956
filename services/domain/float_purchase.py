"""The life cycle of a float purchase: its states and transitions (docs/architecture.md)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from services.domain.fees import Quote
from services.domain.money import Money
from services.domain.phone import Phone


class PurchaseState(StrEnum):
    """Money is held in ``HOLDS`` only, and moves in ``SUCCEEDED`` only."""

    QUOTED = "QUOTED"  # shown, nothing confirmed
    AWAITING_APPROVAL = "AWAITING_APPROVAL"  # confirmed; a second person must approve first
    OTP_SENT = "OTP_SENT"  # confirmed; a code has been or is being sent
    AUTHORISED = "AUTHORISED"  # code or PIN was right and the money is held; nothing sent yet
    SUBMITTING = "SUBMITTING"  # the one request is in flight; only its worker or lease ends it
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"  # refused by the bank, or by us on its behalf: the holds are released
    UNKNOWN = "UNKNOWN"  # no readable answer: the holds stay until there is evidence
    OTP_EXPIRED = "OTP_EXPIRED"
    OTP_LOCKED = "OTP_LOCKED"
    CANCELLED = "CANCELLED"
    REFUSED = "REFUSED"  # refused by us, before asking the bank


_S = PurchaseState
TRANSITIONS: dict[PurchaseState, frozenset[PurchaseState]] = {
    # QUOTED again: another amount, or a fresh quote. AUTHORISED at once: by a desk PIN.
    _S.QUOTED: frozenset(
        {
            _S.QUOTED,
            _S.AWAITING_APPROVAL,
            _S.OTP_SENT,
            _S.AUTHORISED,
            _S.CANCELLED,
            _S.REFUSED,
        }
    ),
    # AWAITING_APPROVAL again: a fresh quote for the same amount. AUTHORISED at once as above.
    _S.AWAITING_APPROVAL: frozenset(
        {_S.AWAITING_APPROVAL, _S.OTP_SENT, _S.AUTHORISED, _S.CANCELLED, _S.REFUSED}
    ),
    _S.OTP_SENT: frozenset(
        {_S.AUTHORISED, _S.OTP_EXPIRED, _S.OTP_LOCKED, _S.CANCELLED, _S.REFUSED}
    ),
    _S.AUTHORISED: frozenset({_S.SUBMITTING, _S.FAILED}),
    # AUTHORISED again: the request provably never left the machine.
    _S.SUBMITTING: frozenset({_S.AUTHORISED, _S.SUCCEEDED, _S.FAILED, _S.UNKNOWN}),
    _S.UNKNOWN: frozenset({_S.SUCCEEDED, _S.FAILED}),
    _S.SUCCEEDED: frozenset(),
    _S.FAILED: frozenset(),
    _S.OTP_EXPIRED: frozenset(),
    _S.OTP_LOCKED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.REFUSED: frozenset(),
}
HOLDS = frozenset({_S.AUTHORISED, _S.SUBMITTING, _S.UNKNOWN})

QUOTE_LIFE = timedelta(minutes=10)
NOT_SENT_FOR = timedelta(seconds=60)  # how long an unsent request is retried
NOT_SENT_EVERY = timedelta(seconds=5)

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# Ages, since it became unknown, at which the bank is queried about a purchase.
QUERY_AGES = (timedelta(seconds=15), *(n * _MINUTE for n in (1, 2, 5, 10, 30)))


def next_query(unknown_since: datetime, now: datetime) -> datetime:
    """When to query the bank again: at the fixed ages, then hourly to 24 hours, then daily.

    It never ends: only evidence resolves an unknown purchase.
    """
    age = now - unknown_since
    for at in QUERY_AGES:
        if age < at:
            return unknown_since + at
    every = _HOUR if age < _DAY else _DAY
    return unknown_since + every * (age // every + 1)


@dataclass(frozen=True, slots=True)
class Purchase:
    """One float purchase as stored. Times are UTC; ``quote`` never changes after confirmation."""

    reference: str
    partner: str
    person_id: int | None
    channel: str
    address: str
    language: str
    quote: Quote
    phone: Phone
    short_code: str
    state: PurchaseState
    reason: str | None
    created_at: datetime
    quoted_at: datetime
    authorised_at: datetime | None
    submitted_at: datetime | None
    settled_at: datetime | None
    bank_id: str | None
    attempt: int  # fencing number: increases with every claim
    due_at: datetime | None  # when work on it is due; while claimed, when the lease ends

    def transition_to(self, state: PurchaseState, **changes: Any) -> Purchase:
        """The purchase in its next state. Raises ``AssertionError`` for a transition not
        allowed."""
        assert state in TRANSITIONS[self.state], f"{self.state} cannot become {state}"
        return replace(self, state=state, **changes)

    @property
    def amount(self) -> Money:
        return self.quote.amount

    @property
    def quote_ends_at(self) -> datetime:
        return self.quoted_at + QUOTE_LIFE

    @property
    def is_undecided(self) -> bool:
        """Whether whoever waits for the outcome goes on waiting."""
        return self.state in (_S.AUTHORISED, _S.SUBMITTING)

    @property
    def can_be_queried(self) -> bool:
        """Whether the bank can still say something new about it."""
        return self.state is PurchaseState.UNKNOWN

    @property
    def masked_destination(self) -> str:
        """For messages: ``4…187``."""
        return f"{self.short_code[:1]}…{self.short_code[-3:]}"
