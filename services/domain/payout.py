"""The life cycle of a payout to a customer: its states and transitions (docs/architecture.md)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from services.domain.fees import Quote
from services.domain.ids import looks_like_reference
from services.domain.money import Money
from services.domain.payout_answers import PayoutOrder, PayoutReason
from services.domain.phone import Phone

PREFIX = "PO"
BATCH_CHANNEL = "batch"  # where a row of a batch was begun; its address is the batch
DESK = "hazina"  # the source of evidence that is our own
_OURS = "HZ"  # what begins every id that M-PESA gets from us


class PayoutState(StrEnum):
    """Float is held in ``HOLDS`` only, and has left in ``PAID`` and ``PAID_AFTER_RETURN`` only."""

    QUOTED = "QUOTED"  # shown, nothing confirmed
    AWAITING_APPROVAL = "AWAITING_APPROVAL"  # confirmed; a second person must approve first
    OTP_SENT = "OTP_SENT"  # confirmed; a code has been or is being sent
    AUTHORISED = "AUTHORISED"  # the code was right and the float is held; nothing sent yet
    SUBMITTING = "SUBMITTING"  # the one order is in flight: worker, lease or Result ends it
    ACCEPTED = "ACCEPTED"  # the gateway took the order, which says nothing of payment
    PAID = "PAID"
    RETURNED = "RETURNED"  # not paid, finally: the hold is released
    UNKNOWN = "UNKNOWN"  # nobody can say: the hold stays until there is evidence
    PAID_AFTER_RETURN = "PAID_AFTER_RETURN"  # paid after all: the partner owes it
    OTP_EXPIRED = "OTP_EXPIRED"
    OTP_LOCKED = "OTP_LOCKED"
    CANCELLED = "CANCELLED"
    REFUSED = "REFUSED"  # refused by us, before asking M-PESA


_S = PayoutState
TRANSITIONS: dict[PayoutState, frozenset[PayoutState]] = {
    # QUOTED again: another amount or recipient. AUTHORISED at once: under a key's ceiling.
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
    _S.AWAITING_APPROVAL: frozenset({_S.OTP_SENT, _S.CANCELLED, _S.REFUSED}),
    _S.OTP_SENT: frozenset(
        {_S.AUTHORISED, _S.OTP_EXPIRED, _S.OTP_LOCKED, _S.CANCELLED, _S.REFUSED}
    ),
    # CANCELLED: a row of a batch that was stopped.
    _S.AUTHORISED: frozenset({_S.SUBMITTING, _S.RETURNED, _S.CANCELLED}),
    # AUTHORISED again: the order provably never left the machine. PAID and RETURNED: a Result may
    # overtake the answer to the order.
    _S.SUBMITTING: frozenset({_S.AUTHORISED, _S.ACCEPTED, _S.PAID, _S.RETURNED, _S.UNKNOWN}),
    _S.ACCEPTED: frozenset({_S.PAID, _S.RETURNED, _S.UNKNOWN}),
    _S.UNKNOWN: frozenset({_S.PAID, _S.RETURNED}),
    _S.RETURNED: frozenset({_S.PAID_AFTER_RETURN}),
    _S.PAID: frozenset(),
    _S.PAID_AFTER_RETURN: frozenset(),
    _S.OTP_EXPIRED: frozenset(),
    _S.OTP_LOCKED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.REFUSED: frozenset(),
}
HOLDS = frozenset({_S.AUTHORISED, _S.SUBMITTING, _S.ACCEPTED, _S.UNKNOWN})

# What a Result may say about the account that all partners' payouts leave: every further order
# would meet the same, and a wrong credential moves toward a lock (facts: Daraja 6).
PAUSES_ALL = frozenset(
    {
        PayoutReason.UTILITY_SHORT,
        PayoutReason.ACCOUNT_INACTIVE,
        PayoutReason.NOT_PERMITTED,
        PayoutReason.WRONG_CREDENTIAL,
        PayoutReason.CREDENTIAL_LOCKED,
    }
)

# While these last, M-PESA is asked nothing either: each use of the credential may lock it.
SILENCES = frozenset({PayoutReason.WRONG_CREDENTIAL, PayoutReason.CREDENTIAL_LOCKED})

ORDER_REFUSED = "order_refused"  # a reason of ours: M-PESA's gateway refused the order's form
# What the partner can do nothing about, and is told that an admin knows of.
NEEDS_ADMIN = PAUSES_ALL | {
    ORDER_REFUSED,
    PayoutReason.BELOW_MINIMUM,
    PayoutReason.ABOVE_MAXIMUM,
}

NOT_SENT_FOR = timedelta(seconds=60)  # how long an unsent order is retried
NOT_SENT_EVERY = timedelta(seconds=5)
# Until one that is frozen or paused is looked at again; ending that wakes it.
HELD_BACK_RETRY = timedelta(hours=1)

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SILENT_AFTER = 2 * _MINUTE  # without a Result, an accepted payout is unknown
# Ages, since it was submitted, at which M-PESA is asked about a payout without a Result.
QUERY_AGES = tuple(n * _MINUTE for n in (1, 2, 5, 15, 60))


def next_query(submitted_at: datetime, now: datetime) -> datetime | None:
    """When to ask M-PESA again: at the fixed ages, then hourly to 24 hours. ``None`` from then on:
    two people decide with the portal's statement, and late evidence still counts."""
    age = now - submitted_at
    for at in QUERY_AGES:
        if age < at:
            return submitted_at + at
    if age >= _DAY:
        return None
    return submitted_at + _HOUR * (age // _HOUR + 1)


def is_payout(reference: str) -> bool:
    return reference.startswith(f"{PREFIX}-")


def originator_id(reference: str) -> str:
    """The payout's one id at M-PESA for all time, such as ``HZPO7K3QF9`` (facts: Daraja 2, 8)."""
    return _OURS + reference.replace("-", "")


def reference_of(originator: str) -> str | None:
    """The payout with this id at M-PESA; ``None`` if it is no id of ours."""
    drawn = originator.removeprefix(_OURS + PREFIX)
    reference = f"{PREFIX}-{drawn}"
    is_ours = drawn != originator and looks_like_reference(reference)
    return reference if is_ours and originator_id(reference) == originator else None


@dataclass(frozen=True, slots=True)
class Payout:
    """One payout as stored. Times are UTC. ``phone`` is the person's own number, where its code
    goes; it and ``person_id`` are ``None`` for one of a partner's system without a code.
    ``recipient`` is who is paid. In ``quote`` M-PESA's tariff is the transfer fee, and there is no
    processing fee.

    ``ready_since`` is when it was authorised, or last thawed, or taken up as a row of a batch:
    from then on it is tried for a minute. Until a row is taken up it is not due.
    ``conversation_id`` is M-PESA's id of the order. ``claimed_paid_at`` is when an answer first
    called it paid that alone is not enough for its amount.
    """

    reference: str
    partner: str
    person_id: int | None
    channel: str
    address: str
    language: str
    quote: Quote
    phone: Phone | None
    recipient: Phone
    short_code: str
    remarks: str
    client_reference: str | None
    state: PayoutState
    reason: str | None
    created_at: datetime
    quoted_at: datetime
    authorised_at: datetime | None
    ready_since: datetime | None
    submitted_at: datetime | None
    settled_at: datetime | None
    conversation_id: str | None
    claimed_paid_at: datetime | None
    receipt: str | None
    recipient_name: str | None
    attempt: int  # fencing number: increases with every claim
    due_at: datetime | None  # when work on it is due; while claimed, when the lease ends

    def transition_to(self, state: PayoutState, **changes: Any) -> Payout:
        """The payout in its next state. Raises ``AssertionError`` for a transition not allowed."""
        assert state in TRANSITIONS[self.state], f"{self.state} cannot become {state}"
        return replace(self, state=state, **changes)

    @property
    def amount(self) -> Money:
        return self.quote.amount

    @property
    def batch(self) -> str | None:
        """The batch whose row it is."""
        return self.address if self.channel == BATCH_CHANNEL else None

    @property
    def originator_id(self) -> str:
        return originator_id(self.reference)

    @property
    def order(self) -> PayoutOrder:
        """What M-PESA is asked to pay, and what it must have paid."""
        return PayoutOrder(self.originator_id, self.recipient, self.amount, self.remarks)

    @property
    def is_undecided(self) -> bool:
        """Whether whoever waits for the outcome goes on waiting."""
        return self.state in (_S.AUTHORISED, _S.SUBMITTING, _S.ACCEPTED)

    @property
    def can_be_queried(self) -> bool:
        """Whether M-PESA can still say something new about it."""
        return self.state in (PayoutState.ACCEPTED, PayoutState.UNKNOWN)
