"""A file of payouts that two people approve as one: its rows, and its life (docs/architecture.md).

Each row becomes a payout of its own, and ends by itself.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from services.domain.fees import NOTHING, Quote
from services.domain.money import Money
from services.domain.payout_tariff import TARIFF_VERSION, payout_quote
from services.domain.phone import Phone

PREFIX = "BA"
ROWS_MAX = 1_000
SAME_ROWS_WITHIN = timedelta(hours=24)
REPEATED = "repeated"  # the reason of a spending whose like was begun since it was asked about
STOPPED = "stopped"  # the reason of one that a person, or a partner's system, stopped
LARGEST_SHOWN = 10  # rows that a second person sees


class BatchState(StrEnum):
    """Float is held for a row as for any payout, from ``RUNNING`` on. Up to there the states are
    those of every spending (``services.domain.spending``)."""

    QUOTED = "QUOTED"  # the file was read, nothing confirmed
    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    OTP_SENT = "OTP_SENT"
    RUNNING = "RUNNING"  # the code was right; each row is a payout with its float held
    DONE = "DONE"  # every row has ended
    STOPPED = "STOPPED"  # rows that were not on their way are cancelled
    OTP_EXPIRED = "OTP_EXPIRED"
    OTP_LOCKED = "OTP_LOCKED"
    CANCELLED = "CANCELLED"
    REFUSED = "REFUSED"


_S = BatchState
_NEVER_RUN = frozenset({_S.OTP_EXPIRED, _S.OTP_LOCKED, _S.CANCELLED, _S.REFUSED})
TRANSITIONS: Mapping[BatchState, frozenset[BatchState]] = {
    _S.QUOTED: frozenset({_S.AWAITING_APPROVAL, _S.CANCELLED, _S.REFUSED}),
    _S.AWAITING_APPROVAL: frozenset({_S.OTP_SENT, _S.CANCELLED, _S.REFUSED}),
    _S.OTP_SENT: _NEVER_RUN | {_S.RUNNING},
    _S.RUNNING: frozenset({_S.DONE, _S.STOPPED}),
    _S.DONE: frozenset(),
    _S.STOPPED: frozenset(),
    _S.OTP_EXPIRED: frozenset(),
    _S.OTP_LOCKED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.REFUSED: frozenset(),
}
BEGUN = frozenset({_S.RUNNING, _S.DONE, _S.STOPPED})


@dataclass(frozen=True, slots=True)
class BatchRow:
    """``number`` counts rows of data from 1. ``reference`` is the partner's own, each once in a
    file; ``name`` is for the partner's people alone, ``remarks`` go to M-PESA.
    ``file_line`` is known while the file is read."""

    number: int
    phone: Phone
    amount: Money
    reference: str
    name: str | None = None
    remarks: str | None = None
    file_line: int | None = None

    @property
    def line(self) -> int:
        """Where it stands in its file, as far as is known; a file begins with the names of its
        columns."""
        return self.number + 1 if self.file_line is None else self.file_line

    @property
    def quote(self) -> Quote:
        return payout_quote(self.amount)


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with a row: ``code`` in that column. ``line`` is where it stands in the
    file."""

    number: int
    line: int
    column: str
    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def digest_of(rows: Iterable[BatchRow]) -> str:
    """SHA-256 of everything that the rows say, in their order."""
    said = [
        [row.phone.msisdn, row.amount.cents, row.reference, row.name or "", row.remarks or ""]
        for row in rows
    ]
    return hashlib.sha256(json.dumps(said, ensure_ascii=True).encode()).hexdigest()


def total_of(rows: Sequence[BatchRow]) -> Quote:
    """What all of them cost; the tariff is of each row."""
    amount = sum((row.amount for row in rows), NOTHING)
    fees = sum((row.quote.fees for row in rows), NOTHING)
    return Quote(amount, fees, NOTHING, TARIFF_VERSION, 0)


def doubled_in(rows: Iterable[BatchRow]) -> Sequence[BatchRow]:
    """The rows that pay a phone the same amount as one above them."""
    seen: Counter[tuple[Phone, Money]] = Counter()
    doubled = []
    for row in rows:
        seen[row.phone, row.amount] += 1
        if seen[row.phone, row.amount] > 1:
            doubled.append(row)
    return doubled


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """How the rows of a batch stand, with what was paid, without charges."""

    paid: int
    failed: int
    unknown: int
    cancelled: int
    waiting: int  # not on their way
    sent: int  # M-PESA has yet to say
    paid_amount: Money


@dataclass(frozen=True, slots=True)
class BatchResult:
    """A row with what became of it; ``status`` is its payout's as partners' systems see it."""

    row: BatchRow
    status: str
    reason: str | None
    payout: str | None
    receipt: str | None
    recipient_name: str | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Batch:
    """One file as stored. Times are UTC. ``phone`` is its maker's own number, where the code goes.

    In ``quote`` the amount is the sum of the rows, and the transfer fee that of their tariffs.
    ``doubles`` is how many rows look like a repetition; ``accepted`` whether its maker took them
    all the same. ``approved_digest`` is what the second person saw. ``told_at`` is when its live
    message was last drawn.
    """

    reference: str
    partner: str
    person_id: int
    channel: str
    address: str
    language: str
    quote: Quote
    phone: Phone
    name: str
    rows: int
    digest: str
    doubles: int
    accepted: bool
    approved_digest: str | None
    state: BatchState
    reason: str | None
    created_at: datetime
    quoted_at: datetime
    authorised_at: datetime | None
    settled_at: datetime | None
    told_at: datetime | None

    def transition_to(self, state: BatchState, **changes: Any) -> Batch:
        """The batch in its next state. Raises ``AssertionError`` for a transition not allowed."""
        assert state in TRANSITIONS[self.state], f"{self.state} cannot become {state}"
        return replace(self, state=state, **changes)

    @property
    def amount(self) -> Money:
        return self.quote.amount

    @property
    def is_undecided(self) -> bool:
        """Whether whoever waits for the outcome goes on waiting."""
        return self.state is BatchState.RUNNING

    @property
    def can_be_queried(self) -> bool:
        """M-PESA knows its rows only, which are asked about one by one."""
        return False


def is_batch(reference: str) -> bool:
    return reference.startswith(f"{PREFIX}-")
