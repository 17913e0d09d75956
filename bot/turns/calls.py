"""Decides a call of a partner's system: one call, one transaction, with its answer stored in it."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple, TypeVar

import structlog

from bot.calls.answers import Problem, ProblemCode, Reply
from bot.calls.caller import AnyScope, CallContext, missing_scope
from bot.context import AppContext, OperationUpdate, Wakeup
from bot.rate_limits.sliding_window import Allowance, SlidingWindows
from services import api_keys
from services.domain.api_answer import StoredAnswer
from services.domain.api_key import ApiKey
from services.domain.database import DatabaseFailed
from services.domain.outbox import OutboxRow
from services.domain.partner import Partner
from services.ports import Tx
from services.ports.database import Database

_log = structlog.get_logger(__name__)
T = TypeVar("T")


class Budget(StrEnum):
    """What a call is counted as."""

    READS = "reads"
    MOVES = "moves"  # of money, and of the codes that approve it


class Credentials(NamedTuple):
    """``address`` is where the call comes from."""

    key: str
    address: str

    def __repr__(self) -> str:
        return f"Credentials(key=…, address={self.address!r})"


@dataclass(frozen=True, slots=True)
class Admitted:
    """A call whose key is good: of whom, and how many more it may make."""

    key: ApiKey
    partner: Partner
    allowance: Allowance


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """A call that is not let in; ``allowance`` is known once its key was good."""

    problem: Problem
    allowance: Allowance | None = None


@dataclass(frozen=True, slots=True)
class Keyed:
    """An idempotency key with what it stands for: method, path and the canonical body."""

    key: str
    stands_for: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """``name`` is for the log and the trail. ``answer`` puts a result into the form in which it is
    stored and sent."""

    name: str
    request_id: str
    decide: Callable[[CallContext], Reply | Problem]
    answer: Callable[[Reply | Problem], StoredAnswer]
    keyed: Keyed | None = None


class _Caller(NamedTuple):
    """``is_noted``: the use of the key was noted within the last minute."""

    key: ApiKey
    partner: Partner
    is_noted: bool


class Outcome(NamedTuple):
    answer: StoredAnswer
    replayed: bool = False


class _Decided(NamedTuple):
    outcome: Outcome
    rows: Sequence[OutboxRow] = ()
    wakes: Sequence[Wakeup] = ()
    operation: str | None = None
    code: str = "ok"


UNAUTHENTICATED = Problem(
    ProblemCode.UNAUTHENTICATED, "No valid API key was sent: as x-api-key, or as a bearer token."
)


class Calls:
    """``push`` receives the messages of every commit, ``wake`` each operation that is now due;
    ``wake_all`` is called when nobody knows which."""

    def __init__(
        self,
        database: Database,
        context: AppContext,
        windows: SlidingWindows,
        push: Callable[[Sequence[OutboxRow]], None],
        wake: Callable[[str], None],
        wake_all: Callable[[], None],
        notify: Callable[[Tx, OperationUpdate], Sequence[OutboxRow]],
    ) -> None:
        self._database = database
        self._context = context
        self._windows = windows
        self._push = push
        self._wake = wake
        self._wake_all = wake_all
        self._notify = notify
        self._log = _log.bind()  # bound once, so that a filtered-out line costs almost nothing

    async def admit(
        self, credentials: Credentials, scopes: AnyScope, budget: Budget
    ) -> Admitted | TurnedAway:
        """Check key, scope and rate, in this order. Writes nothing but, once a minute, that the key
        was used. Raises ``DatabaseUnavailable``."""
        found = await self._database.read(lambda tx: self._find(tx, credentials.key))
        if found is None:
            return TurnedAway(UNAUTHENTICATED)
        if not found.is_noted:
            await self._note_use(found.key, credentials.address)
        return self._let_in(found, scopes, budget)

    async def read(
        self,
        credentials: Credentials,
        scopes: AnyScope,
        request_id: str,
        budget: Budget,
        decide: Callable[[CallContext], T],
    ) -> tuple[Admitted, T] | TurnedAway:
        """Admit a call that only looks, and decide it on the same snapshot."""

        def look(tx: Tx) -> tuple[_Caller, Admitted, T] | TurnedAway:
            found = self._find(tx, credentials.key)
            if found is None:
                return TurnedAway(UNAUTHENTICATED)
            admitted = self._let_in(found, scopes, budget)
            if isinstance(admitted, TurnedAway):
                return admitted
            call = CallContext.of(self._context, tx, found.key, found.partner, request_id)
            return found, admitted, decide(call)

        looked = await self._database.read(look)
        if isinstance(looked, TurnedAway):
            return looked
        found, admitted, seen = looked
        if not found.is_noted:
            await self._note_use(found.key, credentials.address)
        return admitted, seen

    async def _note_use(self, key: ApiKey, address: str) -> None:
        try:
            await self._database.write(lambda tx: api_keys.note_use(tx, key, address))
        except DatabaseFailed:  # a call that only looks needs no writer
            _log.warning("the use of a key was not noted", key=key.id)

    def _find(self, tx: Tx, key: str) -> _Caller | None:
        found = api_keys.authenticate(tx, key)
        if found is None:
            return None
        partner = tx.people.partner(found.partner)
        if partner is None:
            return None
        return _Caller(found, partner, not api_keys.wants_note(found, tx.now))

    def _let_in(self, caller: _Caller, scopes: AnyScope, budget: Budget) -> Admitted | TurnedAway:
        """Whatever has a good key is counted; a call over the limit is not."""
        problem = missing_scope(caller.key, scopes)
        allowance = self._windows.take(budget, caller.partner.code)
        if problem is not None:
            return TurnedAway(problem, allowance)
        if not allowance.allowed:
            wait = allowance.again_in_s
            detail = f"Too many calls within a minute. Try again in {wait} seconds."
            return TurnedAway(Problem(ProblemCode.RATE_LIMITED, detail), allowance)
        return Admitted(caller.key, caller.partner, allowance)

    async def handle(self, admitted: Admitted, call: Call) -> Outcome:
        """Decide the call, unless its idempotency key was decided before. Committed when it
        returns. Raises ``DatabaseUnavailable`` if nothing was committed."""
        began = time.perf_counter()
        try:
            decided = await self._database.write(
                lambda tx: self._decide(tx, admitted, call), about=admitted.key.id
            )
        except asyncio.CancelledError:
            self._wake_all()  # it may be committed all the same, and nobody else would wake for it
            raise
        self._push(decided.rows)
        if decided.operation is not None and not decided.outcome.replayed:
            self._wake(decided.operation)
        self._context.wake_jobs(decided.wakes)
        self._log.info(
            "call",
            name=call.name,
            key=admitted.key.id,
            partner=admitted.partner.code,
            request=call.request_id,
            answer=decided.code,
            replayed=decided.outcome.replayed,
            reference=decided.operation,
            ms=round((time.perf_counter() - began) * 1000, 1),
        )
        return decided.outcome

    def _decide(self, tx: Tx, admitted: Admitted, call: Call) -> _Decided:
        key = tx.api_keys.get(admitted.key.id)
        partner = tx.people.partner(admitted.partner.code)
        if key is None or partner is None or not key.is_active(tx.now):
            return _Decided(Outcome(call.answer(UNAUTHENTICATED)), code="unauthenticated")
        before = self._before(tx, partner.code, call.keyed)
        if isinstance(before, Problem):
            return _Decided(Outcome(call.answer(before)), code=before.code)
        if before is not None:
            return _Decided(Outcome(before, replayed=True), operation=before.operation)
        idempotency_key = None if call.keyed is None else call.keyed.key
        tx.partner_events.caused_by(call.request_id, idempotency_key)
        context = CallContext.of(self._context, tx, key, partner, call.request_id)
        result = call.decide(context)
        answer = call.answer(result)
        self._store(tx, partner.code, call.keyed, result, answer)
        turn = context.turn
        person = turn.linked_person
        code = result.code.value if isinstance(result, Problem) else "ok"
        tx.trail.add(
            turn.event.channel,
            turn.event.address,
            None if person is None else person.id,
            f"call:{call.name}",
            None,
            code,
            None,
            answer.operation,
        )
        rows = list(turn.rows)
        for outcome in turn.outcomes:
            rows += self._notify(tx, outcome)
        return _Decided(Outcome(answer), rows, turn.wakes, answer.operation, code)

    def _before(self, tx: Tx, partner: str, keyed: Keyed | None) -> StoredAnswer | Problem | None:
        """The answer that the key was given before."""
        if keyed is None:
            return None
        stored = tx.api_answers.get(partner, keyed.key)
        if stored is None:
            return None
        expected = self._fingerprint(stored.pepper_id, keyed)
        if not hmac.compare_digest(stored.fingerprint, expected):
            return Problem(
                ProblemCode.IDEMPOTENCY_MISMATCH,
                "This idempotency key was used for another request.",
            )
        return stored.answer

    def _store(
        self,
        tx: Tx,
        partner: str,
        keyed: Keyed | None,
        result: Reply | Problem,
        answer: StoredAnswer,
    ) -> None:
        if keyed is None or (isinstance(result, Problem) and not result.is_business):
            return
        pepper_id = self._context.keys.pepper_id
        tx.api_answers.add(
            partner, keyed.key, pepper_id, self._fingerprint(pepper_id, keyed), answer
        )

    def _fingerprint(self, pepper_id: str, keyed: Keyed) -> str:
        """By a key outside the database: bodies are guessable."""
        pepper = self._context.keys.pepper(pepper_id)
        return hmac.new(pepper, b"api|" + keyed.stands_for, sha256).hexdigest()
