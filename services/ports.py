"""What the use cases need from outside, as protocols; ``bot.wiring`` decides what stands behind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol

from services.domain.bank import (
    FloatAnswer,
    FloatOrder,
    InitiateAnswer,
    NotSent,
    Prompt,
    QueryAnswer,
    Ready,
    StatusAnswer,
)
from services.domain.ids import Draw
from services.domain.ledger import Account, AccountKind, Balance, Transfer
from services.domain.message import Mail, MessageAnswer
from services.domain.money import Money
from services.domain.partner import Partner, Person
from services.domain.phone import Phone
from services.domain.topup import TopUp


class Clock(Protocol):
    """The only source of time for whatever waits."""

    def now(self) -> datetime:
        """UTC, aware."""
        ...

    async def sleep(self, seconds: float) -> None: ...

    def deadline(self, seconds: float) -> AbstractAsyncContextManager[None]:
        """Raises ``TimeoutError`` inside the block when the seconds have passed on this clock."""
        ...


class Random(Draw, Protocol):
    """Randomness: ``random.SystemRandom`` for real, seeded in simulation."""

    def uniform(self, a: float, b: float) -> float: ...


class Collections(Protocol):
    """NCBA's collections API (facts: NCBA 1). Answers are values; only cancellation raises."""

    async def prepare(self) -> Ready | NotSent:
        """Put a fresh token in hand, before the intent to send is committed."""
        ...

    async def initiate(self, ready: Ready, prompt: Prompt) -> InitiateAnswer:
        """Ask for one prompt. Called once per top-up, ever; never repeated inside."""
        ...

    async def query(self, bank_id: str) -> QueryAnswer:
        """Ask what became of a prompt. Free to repeat."""
        ...


class FloatBank(Protocol):
    """NCBA's Open Banking API (facts: NCBA 3). Answers are values; only cancellation raises."""

    async def prepare(self) -> Ready | NotSent:
        """Put a fresh token in hand, before the intent to send is committed."""
        ...

    async def purchase(self, ready: Ready, order: FloatOrder) -> FloatAnswer:
        """Buy float. Called once per purchase, ever; never repeated inside."""
        ...

    async def status(self, reference: str) -> StatusAnswer:
        """Ask what became of a purchase, by our reference. Free to repeat."""
        ...


class Sms(Protocol):
    async def send(self, to: Phone, text: str) -> MessageAnswer:
        """Hand one SMS to the carrier, once. Only cancellation raises."""
        ...


class Mailer(Protocol):
    async def send(self, mail: Mail) -> MessageAnswer:
        """Hand one mail to the server, once. Only cancellation raises."""
        ...


class Ledger(Protocol):
    def open_accounts(self, partner: str, kinds: Iterable[AccountKind], currency: str) -> None:
        """Open what is not open yet, empty."""
        ...

    def book(self, *transfers: Transfer) -> None:
        """Book all; a transfer whose id stands already is the same leg and changes nothing."""
        ...

    def balance(self, account: Account) -> Balance: ...


class TopUps(Protocol):
    """The top-ups among ``wallet_transactions``, with one ``ncb_stk_push_logs`` row each."""

    def add(self, topup: TopUp, key: str) -> bool:
        """False when the reference is taken: draw another."""
        ...

    def get(self, reference: str) -> TopUp | None: ...

    def find_open(
        self, partner: str, phone: Phone, amount: Money, since: datetime
    ) -> TopUp | None: ...

    def claim(self, lease: timedelta, sends: int, queries: int) -> Sequence[TopUp]:
        """Take what is due, not yet accepted by the bank (``sends``) and already (``queries``).

        Each is due again when ``lease`` ends, with its attempt number grown by one.
        """
        ...

    def next_due(self) -> datetime | None: ...

    def save(self, topup: TopUp) -> None:
        """Write what may change: state, reason, times, bank id, receipt, due moment, slow."""
        ...

    def log_push(self, reference: str, status: str, description: str) -> None:
        """Note the bank's words on the push's own row; ``status`` asked, accepted, …"""
        ...

    def end_leases(self) -> int:
        """At start-up, with the database to ourselves: whoever held a lease is gone."""
        ...

    def page(
        self, partner: str, size: int, *, before: str | None = None, after: str | None = None
    ) -> Sequence[TopUp]:
        """Newest first, beyond ``before`` or, going back, next to ``after`` (references)."""
        ...

    def recent_amounts(self, person_id: int, limit: int) -> Sequence[Money]:
        """Distinct amounts this person has paid in, latest first."""
        ...

    def recent_phones(self, person_id: int, limit: int) -> Sequence[Phone]:
        """Distinct numbers this person has paid from, latest first."""
        ...


class Evidence(Protocol):
    """Append-only: what the outside said, and each call to it."""

    def add(self, operation: str, kind: str, source: str, text: str) -> None: ...

    def call(
        self, operation: str, call: str, attempt: int, outcome: str, text: str, milliseconds: int
    ) -> None: ...

    def has_money_call(self, operation: str) -> bool:
        """Whether the answer to the one request that may move money is written down already."""
        ...

    def review(self, operation: str, why: str) -> None:
        """Open a review item for the admins, once per operation and reason."""
        ...

    def close_reviews(self, operation: str) -> None: ...


class Limits(Protocol):
    def in_force(self, name: str) -> Money:
        """The dated limit that applies at this transaction's moment. ``KeyError`` if none."""
        ...


class People(Protocol):
    def add_partner(self, partner: Partner) -> None:
        """Add the partner and its wallet's settings, or bring those up to date."""
        ...

    def at(self, channel: str, address: str) -> Person | None:
        """Whose address this is, with partner and role as they stand now."""
        ...


class Tx(Protocol):
    """One transaction. ``now`` is read once, and never runs backwards."""

    @property
    def now(self) -> datetime: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def topups(self) -> TopUps: ...
    @property
    def evidence(self) -> Evidence: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def people(self) -> People: ...
