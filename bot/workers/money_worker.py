"""The worker of every kind of operation that the bank carries out: claim, prepare, commit the
intent, make the one call, commit its answer, and ask about it until the outcome is known.

No transaction is open during a call, and the one request that may move money is sent only after its
intent is committed, and never again (docs/architecture.md). What differs between kinds is an
``OperationKind``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import structlog

from bot.outbox.database_retries import AGAIN_S, PushRows
from bot.workers.bank_worker import CallPool, Wake
from bot.workers.leased_worker import LeasedWorker
from services.domain.bank import NotSent, Ready, Unknown
from services.domain.database import DatabaseUnavailable, Priority
from services.domain.lease import Lease
from services.domain.outbox import OutboxRow
from services.ports import Clock, Tx
from services.ports.database import Database

_log = structlog.get_logger(__name__)


class _Claimed(Protocol):
    @property
    def reference(self) -> str: ...


Operation = TypeVar("Operation", bound=_Claimed)
Answer = TypeVar("Answer")  # to the request that moves money
Status = TypeVar("Status")  # to a query
Change = TypeVar("Change")  # what somebody is told

Record: TypeAlias = Callable[[Tx], Change | None]  # ``None``: nothing for anybody to hear


@dataclass(frozen=True, slots=True)
class CallLimits:
    """``sends_max`` and ``queries_max`` calls at once, limited apart so that queries never delay a
    send. ``lease`` is longer than a call with its preparation, repeats and commits."""

    lease: timedelta
    sends_max: int
    queries_max: int

    @property
    def calls_max(self) -> int:
        return self.sends_max + self.queries_max


class OperationKind(Protocol[Operation, Answer, Status, Change]):
    """What one kind has of its own.

    A function that takes a transaction makes no outside call, and may run again after a commit that
    was reported as failed: what is recorded already changes nothing.
    """

    @property
    def name(self) -> str:
        """As in ``operation_kinds``."""
        ...

    @property
    def limits(self) -> CallLimits: ...

    def claim(
        self, tx: Tx, lease: Lease, sends: int, queries: int
    ) -> tuple[Sequence[Operation], Sequence[Change]]:
        """Claim what is due: the calls to make, and what changed without one: a request whose
        worker was lost becomes unknown, one that could not be sent in time ends."""
        ...

    def is_to_send(self, claimed: Operation) -> bool:
        """To be sent; otherwise the bank is queried about it."""
        ...

    async def prepare(self) -> Ready | NotSent:
        """Whatever is needed before the request, such as a token. Moves nothing."""
        ...

    def begin_sending(self, tx: Tx, claimed: Operation, lease: Lease) -> Operation | None:
        """Commit the intent to send; ``None`` if the claim was lost."""
        ...

    async def send(self, ready: Ready, sending: Operation) -> Answer:
        """The one request that may move money."""
        ...

    def record_answer(
        self, operation: Operation, answer: Answer | NotSent | Unknown, milliseconds: int
    ) -> Record[Change]:
        """Of the request, or of its preparation, which only ``NotSent`` ends here."""
        ...

    async def query(self, claimed: Operation) -> Status: ...

    def record_status(
        self, claimed: Operation, status: Status, milliseconds: int
    ) -> Record[Change]: ...

    def messages(self, tx: Tx, change: Change) -> Sequence[OutboxRow]:
        """Queue what people are told."""
        ...

    def log(self, change: Change) -> None:
        """One line per outcome, a warning if an admin must see it."""
        ...


class MoneyWorker(LeasedWorker, Generic[Operation, Answer, Status, Change]):
    """``owner`` is the name of this process (``services.domain.lease``)."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        push: PushRows,
        wake: Wake,
        owner: str,
        kind: OperationKind[Operation, Answer, Status, Change],
    ) -> None:
        self._sends = CallPool(kind.limits.sends_max)
        self._queries = CallPool(kind.limits.queries_max)
        lease = Lease(owner, kind.limits.lease)
        super().__init__(database, clock, push, wake, (self._sends, self._queries), lease)
        self._kind = kind
        self._asking: dict[str, asyncio.Task[None]] = {}  # queries under way, by reference

    def _end_leases_of_others(self, tx: Tx) -> int:
        return tx.claims.end_leases_of_others(self._kind.name, self._lease.owner)

    def _end_leases_of(self, tx: Tx, owners: Collection[str]) -> int:
        tx.bank_tokens.end_renewals_of(owners)
        return tx.claims.end_leases_of(self._kind.name, owners)

    async def scan(self) -> datetime | None:
        """Begin the due calls for which there is room; returns when the next is due."""
        if self._stopping:
            return None
        await self._take_over()
        sends, queries = self._sends.free_slots, self._queries.free_slots

        def claim(
            tx: Tx,
        ) -> tuple[Sequence[Operation], Sequence[Change], list[OutboxRow], datetime | None]:
            work, changes = self._kind.claim(tx, self._lease, sends, queries)
            return work, changes, self._messages(tx, changes), self._next_due(tx)

        work, changes, rows, due = await self._database.write(claim, Priority.JOBS)
        self._push(rows)
        for change in changes:
            self._kind.log(change)
        for operation in work:
            if self._kind.is_to_send(operation):
                self._begin(self._sends, self._send(operation))
            else:
                task = self._begin(self._queries, self._query(operation))
                self._asking[operation.reference] = task
                task.add_done_callback(partial(self._was_answered, operation.reference))
        return self._next_scan(due)

    async def answered(self, reference: str) -> None:
        """Return when the query about it that is under way, if any, is answered and committed."""
        task = self._asking.get(reference)
        if task is not None:
            await asyncio.wait({task})

    def _was_answered(self, reference: str, task: asyncio.Task[None]) -> None:
        if self._asking.get(reference) is task:
            del self._asking[reference]

    def _next_due(self, tx: Tx) -> datetime | None:
        return tx.claims.next_due(self._kind.name)

    # One claim -----------------------------------------------------------------------------

    async def _send(self, claimed: Operation) -> None:
        began = self._clock.monotonic()
        ready = await self._kind.prepare()
        if isinstance(ready, NotSent):
            await self._record_answer(claimed, ready, began)
            return
        if self._stopping:
            return  # do not begin what shutdown might cut off: the next start takes it up
        sending = await self._begin_sending(claimed)
        if sending is None:
            return
        began = self._clock.monotonic()
        try:
            answer = await self._kind.send(ready, sending)
        except asyncio.CancelledError:
            await self._record_answer(sending, Unknown("cancelled"), began)
            raise
        await self._record_answer(sending, answer, began)

    async def _begin_sending(self, claimed: Operation) -> Operation | None:
        """Commit the intent. If cancelled meanwhile, record that nothing was sent."""
        committing = asyncio.create_task(self._commit_intent(claimed))
        try:
            return await asyncio.shield(committing)
        except asyncio.CancelledError:
            sending = await committing
            if sending is not None:
                await self._record_answer(sending, NotSent("stopped"), self._clock.monotonic())
            raise

    async def _commit_intent(self, claimed: Operation) -> Operation | None:
        """While the database is away nothing is sent, and what was claimed stays claimed: it goes
        on as soon as it can, rather than when the lease is over."""
        while True:
            try:
                return await self._database.write(
                    lambda tx: self._kind.begin_sending(tx, claimed, self._lease),
                    Priority.JOBS,
                    about=claimed.reference,
                )
            except DatabaseUnavailable:
                if self._stopping:
                    raise
            await self._clock.sleep(AGAIN_S)

    async def _query(self, claimed: Operation) -> None:
        began = self._clock.monotonic()
        status = await self._kind.query(claimed)
        await self._record(self._kind.record_status(claimed, status, self._ms_since(began)))

    async def _record_answer(
        self, operation: Operation, answer: Answer | NotSent | Unknown, began: float
    ) -> None:
        await self._record(self._kind.record_answer(operation, answer, self._ms_since(began)))

    async def _record(self, record: Record[Change]) -> None:
        def write(tx: Tx) -> tuple[Change | None, list[OutboxRow]]:
            change = record(tx)
            return change, self._messages(tx, [] if change is None else [change])

        change = await self._commit_answer(write)
        if change is not None:
            self._kind.log(change)

    def _messages(self, tx: Tx, changes: Iterable[Change]) -> list[OutboxRow]:
        return [row for change in changes for row in self._kind.messages(tx, change)]


AnyOperationKind: TypeAlias = OperationKind[Any, Any, Any, Any]
AnyMoneyWorker: TypeAlias = MoneyWorker[Any, Any, Any, Any]
