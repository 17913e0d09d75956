"""The program's metrics, and whether the bank has answered lately."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.domain.bank import (
    FloatAnswer,
    FloatOrder,
    InitiateAnswer,
    NoAnswer,
    NotSent,
    Prompt,
    QrPicture,
    QueryAnswer,
    Ready,
    StatusAnswer,
    Unknown,
)
from services.domain.bank_line import BankLine
from services.domain.money import Money
from services.domain.operation import OperationType
from services.domain.payout_answers import Asked, PayoutAnswer, PayoutOrder
from services.domain.webhook import WebhookAnswer
from services.ports import BankStatements, Collections, FloatBank, PayoutRail

SLOW_WINDOW_S = 600.0
REMEMBERED = 50  # latest answers about prompts
SLOW_LEAST = 3  # unanswered calls; they must also be half of the recent ones
UNANSWERED = (NotSent, Unknown, NoAnswer)
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_BANK_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 60.0)  # the longest limit is 60

Answer = TypeVar("Answer")


class MessageOutcome(StrEnum):
    """What came of one call to a channel, to send, edit or delete a message."""

    ACCEPTED = "accepted"
    HELD_BACK = "held_back"  # tried again when the channel says (429)
    REFUSED = "refused"  # the channel will never take it
    UNCLEAR = "unclear"  # tried again, since it may not have arrived


class Metrics:
    """One per program. Metrics from the database are read when they are scraped."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.monotonic = monotonic
        self.registry = CollectorRegistry()
        # Found by the jobs. No time where no backups are to be kept, 1970 while there is none.
        self.backup_at: datetime | None = None
        self.audit_breaks: int | None = None  # at the latest check since the start
        began = monotonic()
        Gauge(
            "hazina_uptime_seconds", "Since the program started", registry=self.registry
        ).set_function(lambda: monotonic() - began)
        self.turns = Counter("hazina_turns", "Turns decided", ["exit"], registry=self.registry)
        self.turn_seconds = Histogram(
            "hazina_turn_seconds",
            "From the event to its commit",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.hops = Counter(
            "hazina_ussd_hops",
            "Requests of USSD gateways: begun, answered, repeated, timed_out, busy, ...",
            ["kind"],
            registry=self.registry,
        )
        self.hop_seconds = Histogram(
            "hazina_ussd_hop_seconds",
            "From a gateway's request to its page, committed",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.bank_calls = Counter(
            "hazina_bank_calls",
            "Calls to NCBA and Daraja",
            ["call", "outcome"],
            registry=self.registry,
        )
        self.bank_seconds = Histogram(
            "hazina_bank_seconds",
            "From a call to NCBA or Daraja to its answer, or to its limit",
            ["call"],
            buckets=_BANK_SECONDS,
            registry=self.registry,
        )
        self.outcomes = Counter(
            "hazina_outcomes",
            "Outcomes of top-ups, purchases and payouts; one that was unknown has another later",
            ["kind", "state"],
            registry=self.registry,
        )
        self.messages = Counter(
            "hazina_messages",
            "Calls to a channel with a message: accepted, held_back, refused or unclear",
            ["channel", "outcome"],
            registry=self.registry,
        )
        self.strangers = Counter(
            "hazina_strangers",
            "What came of accounts and groups that are nobody's: answered, silent, strange, ...",
            ["what"],
            registry=self.registry,
        )
        self.webhooks = Counter(
            "hazina_webhooks",
            "Tries to send an event to a partner's endpoint",
            ["outcome"],
            registry=self.registry,
        )
        self.ussd_sessions = Counter(
            "hazina_ussd_sessions",
            "Sessions of USSD that their gateway says have ended",
            ["status", "network"],
            registry=self.registry,
        )
        self.ussd_cost = Counter(
            "hazina_ussd_cost_cents",
            "What gateways say those sessions cost, in cents of KES",
            registry=self.registry,
        )
        self.message_seconds = Histogram(
            "hazina_message_seconds",
            "From a call to a channel to its answer",
            ["channel"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.api_calls = Counter(
            "hazina_api_calls",
            "Answers to partners' systems",
            ["call", "status"],
            registry=self.registry,
        )
        self.api_seconds = Histogram(
            "hazina_api_seconds",
            "From a partner system's request to its answer, waiting included",
            ["call"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._prompts: deque[tuple[float, bool]] = deque(maxlen=REMEMBERED)
        self._by_kind = {kind: self.turns.labels(kind) for kind in ("decided", "repeated", "fault")}

    def turn(self, kind: str, seconds: float) -> None:
        """``kind`` is decided, repeated or fault."""
        self._by_kind[kind].inc()
        self.turn_seconds.observe(seconds)

    def hop(self, kind: str, seconds: float) -> None:
        """``kind`` as ``HopKind``."""
        self.hops.labels(kind).inc()
        self.hop_seconds.observe(seconds)

    def record_stranger(self, what: str) -> None:
        """``what`` is answered, silent, strange, group or group_silent."""
        self.strangers.labels(what).inc()

    async def bank(self, call: str, answer: Awaitable[Answer]) -> Answer:
        """Waits for the bank's answer, which it returns, and counts it."""
        began = self.monotonic()
        answered = await answer
        self.bank_seconds.labels(call).observe(self.monotonic() - began)
        self.bank_calls.labels(call, type(answered).__name__).inc()
        if call in ("token", "initiate", "query"):
            self._prompts.append((self.monotonic(), not isinstance(answered, UNANSWERED)))
        return answered

    def outcome(self, kind: OperationType, state: str) -> None:
        """Called before the commit: one that fails and is repeated counts twice."""
        self.outcomes.labels(kind, state).inc()

    def message(self, channel: str, outcome: MessageOutcome, seconds: float) -> None:
        self.messages.labels(channel, outcome).inc()
        self.message_seconds.labels(channel).observe(seconds)

    def ussd_session(self, status: str, network: str, cost_cents: int) -> None:
        """``status`` is success, incomplete or failed; ``network`` one of a known few, or other."""
        self.ussd_sessions.labels(status, network).inc()
        self.ussd_cost.inc(cost_cents)

    def webhook(self, answer: WebhookAnswer) -> None:
        self.webhooks.labels(type(answer).__name__).inc()

    def api(self, call: str, status: int, seconds: float) -> None:
        """``call`` is the name of a route, or empty for what is none."""
        self.api_calls.labels(call, str(status)).inc()
        self.api_seconds.labels(call).observe(seconds)

    def prompts_are_slow(self) -> bool:
        """Whether NCBA left at least half of the recent calls about prompts unanswered."""
        since = self.monotonic() - SLOW_WINDOW_S
        recent = [answered for at, answered in self._prompts if at >= since]
        silent = recent.count(False)
        return silent >= SLOW_LEAST and silent * 2 >= len(recent)


class MeteredCollections:
    """``services.ports.Collections`` that counts every answer."""

    def __init__(self, bank: Collections, metrics: Metrics) -> None:
        self._bank = bank
        self._metrics = metrics

    async def prepare(self) -> Ready | NotSent:
        return await self._metrics.bank("token", self._bank.prepare())

    async def initiate(self, ready: Ready, prompt: Prompt) -> InitiateAnswer:
        return await self._metrics.bank("initiate", self._bank.initiate(ready, prompt))

    async def query(self, bank_id: str) -> QueryAnswer:
        return await self._metrics.bank("query", self._bank.query(bank_id))

    async def qr(self, reference: str, amount: Money) -> QrPicture | NoAnswer:
        return await self._metrics.bank("qr", self._bank.qr(reference, amount))


class MeteredFloatBank:
    """``services.ports.FloatBank`` and ``BankStatements`` that count every answer."""

    def __init__(self, bank: FloatBank, statements: BankStatements, metrics: Metrics) -> None:
        self._bank = bank
        self._statements = statements
        self._metrics = metrics

    async def prepare(self) -> Ready | NotSent:
        return await self._metrics.bank("float_token", self._bank.prepare())

    async def purchase(self, ready: Ready, order: FloatOrder) -> FloatAnswer:
        return await self._metrics.bank("float", self._bank.purchase(ready, order))

    async def status(self, reference: str) -> StatusAnswer:
        return await self._metrics.bank("status", self._bank.status(reference))

    async def lines(self, day: date) -> Sequence[BankLine] | NoAnswer:
        return await self._metrics.bank("statement", self._statements.lines(day))


class MeteredPayoutRail:
    """``services.ports.PayoutRail`` that counts every answer. What M-PESA makes of a request comes
    later, and is none of them."""

    def __init__(self, rail: PayoutRail, metrics: Metrics) -> None:
        self._rail = rail
        self._metrics = metrics

    async def prepare(self) -> Ready | NotSent:
        return await self._metrics.bank("payout_token", self._rail.prepare())

    async def pay(self, ready: Ready, order: PayoutOrder) -> PayoutAnswer:
        return await self._metrics.bank("payout", self._rail.pay(ready, order))

    async def ask_status(self, originator_id: str) -> Asked | NoAnswer:
        return await self._metrics.bank("payout_status", self._rail.ask_status(originator_id))

    async def ask_balance(self) -> Asked | NoAnswer:
        return await self._metrics.bank("payout_balance", self._rail.ask_balance())
