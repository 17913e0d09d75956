"""The program's metrics, and whether the bank has answered lately."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import date

from prometheus_client import CollectorRegistry, Counter, Histogram

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
from services.domain.webhook import WebhookAnswer
from services.ports import BankStatements, Collections, FloatBank

SLOW_WINDOW_S = 600.0
REMEMBERED = 50  # latest answers about prompts
SLOW_LEAST = 3  # unanswered calls; they must also be half of the recent ones
UNANSWERED = (NotSent, Unknown, NoAnswer)
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """One per program. Metrics from the database are read when they are scraped."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.monotonic = monotonic
        self.registry = CollectorRegistry()
        self.turns = Counter("hazina_turns", "Turns decided", ["exit"], registry=self.registry)
        self.turn_seconds = Histogram(
            "hazina_turn_seconds",
            "From the event to its commit",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.bank_calls = Counter(
            "hazina_bank_calls", "Calls to NCBA", ["call", "outcome"], registry=self.registry
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
        self.sends = Counter(
            "hazina_sends",
            "Calls to a channel: accepted, slowed (asked to wait), refused, unclear, failed",
            ["channel", "outcome"],
            registry=self.registry,
        )
        self.send_seconds = Histogram(
            "hazina_send_seconds",
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

    def record_stranger(self, what: str) -> None:
        """``what`` is answered, silent, strange, group or group_silent."""
        self.strangers.labels(what).inc()

    def bank(self, call: str, answer: object) -> None:
        self.bank_calls.labels(call, type(answer).__name__).inc()
        if call in ("token", "initiate", "query"):
            self._prompts.append((self.monotonic(), not isinstance(answer, UNANSWERED)))

    def webhook(self, answer: WebhookAnswer) -> None:
        self.webhooks.labels(type(answer).__name__).inc()

    def sent(self, channel: str, outcome: str, seconds: float) -> None:
        self.sends.labels(channel, outcome).inc()
        self.send_seconds.labels(channel).observe(seconds)

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
        answer = await self._bank.prepare()
        self._metrics.bank("token", answer)
        return answer

    async def initiate(self, ready: Ready, prompt: Prompt) -> InitiateAnswer:
        answer = await self._bank.initiate(ready, prompt)
        self._metrics.bank("initiate", answer)
        return answer

    async def query(self, bank_id: str) -> QueryAnswer:
        answer = await self._bank.query(bank_id)
        self._metrics.bank("query", answer)
        return answer

    async def qr(self, reference: str, amount: Money) -> QrPicture | NoAnswer:
        answer = await self._bank.qr(reference, amount)
        self._metrics.bank("qr", answer)
        return answer


class MeteredFloatBank:
    """``services.ports.FloatBank`` and ``BankStatements`` that count every answer."""

    def __init__(self, bank: FloatBank, statements: BankStatements, metrics: Metrics) -> None:
        self._bank = bank
        self._statements = statements
        self._metrics = metrics

    async def prepare(self) -> Ready | NotSent:
        answer = await self._bank.prepare()
        self._metrics.bank("float_token", answer)
        return answer

    async def purchase(self, ready: Ready, order: FloatOrder) -> FloatAnswer:
        answer = await self._bank.purchase(ready, order)
        self._metrics.bank("float", answer)
        return answer

    async def status(self, reference: str) -> StatusAnswer:
        answer = await self._bank.status(reference)
        self._metrics.bank("status", answer)
        return answer

    async def lines(self, day: date) -> Sequence[BankLine] | NoAnswer:
        answer = await self._statements.lines(day)
        self._metrics.bank("statement", answer)
        return answer
