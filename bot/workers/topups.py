"""The worker that calls the bank for top-ups: claim, call, commit the answer.

No transaction is open during a call, and the one request that may move money is sent only after its
intent is committed (docs/architecture.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from bot.notify.notifier import Notifier
from bot.outbox.durable_write import PushRows
from bot.workers.bank_worker import LEASE, BankWorker, CallPool, Wake
from services import topup_settlement
from services.domain.bank import InitiateAnswer, NotSent, Prompt, QueryAnswer, Unknown
from services.domain.lease import Lease
from services.domain.mpesa import NEEDS_ADMIN
from services.domain.operation import OperationType
from services.domain.topup import TopUp, TopUpState
from services.ports import Clock, Collections, Random
from services.topup_settlement import ChangeKind, TopUpChange
from storage.sqlite.database import Database, Priority
from storage.stores.outbox import OutboxRow
from storage.transaction import SqliteTx

_log = structlog.get_logger(__name__)

SENDS_MAX = 128  # prompts requested at once
QUERIES_MAX = 512  # status queries at once, limited apart so that they never delay a prompt
ADMIN_STATES = frozenset({TopUpState.SEND_UNKNOWN, TopUpState.UNKNOWN})
ADMIN_REASONS = NEEDS_ADMIN | {"bank_down", "bank_refused"}


class TopUpWorker(BankWorker):
    def __init__(
        self,
        database: Database,
        collections: Collections,
        clock: Clock,
        random: Random,
        notifier: Notifier,
        push: PushRows,
        wake: Wake,
        owner: str,
    ) -> None:
        self._sends = CallPool(SENDS_MAX)
        self._queries = CallPool(QUERIES_MAX)
        super().__init__(database, clock, push, wake, (self._sends, self._queries))
        self._collections = collections
        self._random = random
        self._notifier = notifier
        self._lease = Lease(owner, LEASE)

    async def recover(self) -> None:
        """At start-up, end the leases of earlier runs, if no other process can hold one."""
        if not self._database.sole_writer:
            return  # others may live: a lease ends by time
        ended = await self._database.write(
            lambda tx: tx.claims.end_leases_of_others(OperationType.TOPUP, self._lease.owner)
        )
        if ended:
            _log.info("leases of the last run ended", count=ended)

    async def scan(self) -> datetime | None:
        """Begin the due calls for which there is room; returns when the next is due."""
        if self._stopping:
            return None
        sends, queries = self._sends.free_slots, self._queries.free_slots

        def claim(tx: SqliteTx) -> tuple[Sequence[TopUp], list[OutboxRow], datetime | None]:
            work, changes = topup_settlement.claim(tx, self._lease, sends, queries)
            return work, self._notices(tx, changes), self._next_due(tx)

        work, rows, due = await self._database.write(claim, Priority.JOBS)
        self._push(rows)
        for topup in work:
            if topup.state is TopUpState.CREATED:
                self._begin(self._sends, self._send(topup))
            else:
                self._begin(self._queries, self._query(topup))
        return self._next_scan(due)

    def _next_due(self, tx: SqliteTx) -> datetime | None:
        return tx.claims.next_due(OperationType.TOPUP)

    # One claim -----------------------------------------------------------------------------

    async def _send(self, claimed: TopUp) -> None:
        began = self._clock.monotonic()
        ready = await self._collections.prepare()
        if isinstance(ready, NotSent):
            await self._record_answer(claimed, ready, began)
            return
        if self._stopping:
            return  # do not begin what shutdown might cut off: the next start takes it up
        sending = await self._begin_sending(claimed)
        if sending is None:
            return
        prompt = Prompt(sending.reference, sending.phone, sending.amount)
        began = self._clock.monotonic()
        try:
            answer = await self._collections.initiate(ready, prompt)
        except asyncio.CancelledError:
            await self._record_answer(sending, Unknown("cancelled"), began)
            raise
        await self._record_answer(sending, answer, began)

    async def _begin_sending(self, claimed: TopUp) -> TopUp | None:
        """Commit the intent. If cancelled meanwhile, record that nothing was sent."""
        committing = asyncio.create_task(
            self._database.write(
                lambda tx: topup_settlement.begin_sending(tx, claimed, self._lease), Priority.JOBS
            )
        )
        try:
            return await asyncio.shield(committing)
        except asyncio.CancelledError:
            sending = await committing
            if sending is not None:
                await self._record_answer(sending, NotSent("stopped"), self._clock.monotonic())
            raise

    async def _record_answer(self, claimed: TopUp, answer: InitiateAnswer, began: float) -> None:
        elapsed = self._ms_since(began)
        spread = self._random.uniform(-1, 1)
        await self._record(
            lambda tx: topup_settlement.record_initiate(tx, claimed, answer, elapsed, spread)
        )

    async def _query(self, claimed: TopUp) -> None:
        assert claimed.bank_id is not None
        began = self._clock.monotonic()
        answer: QueryAnswer = await self._collections.query(claimed.bank_id)
        elapsed = self._ms_since(began)
        spread = self._random.uniform(-1, 1)
        await self._record(
            lambda tx: topup_settlement.record_query(tx, claimed, answer, elapsed, spread)
        )

    async def _record(self, take_in: Callable[[SqliteTx], TopUpChange | None]) -> None:
        def write(tx: SqliteTx) -> tuple[TopUpChange | None, list[OutboxRow]]:
            change = take_in(tx)
            return change, self._notices(tx, [] if change is None else [change])

        change = await self._commit_answer(write)
        if change is not None:
            self._log(change)

    def _notices(self, tx: SqliteTx, changes: Sequence[TopUpChange]) -> list[OutboxRow]:
        return [row for change in changes for row in self._notifier.topup(tx, change)]

    def _log(self, change: TopUpChange) -> None:
        """One line per outcome; those that an admin must see are warnings."""
        if change.kind is not ChangeKind.OUTCOME:
            return
        topup = change.topup
        wants_admin = topup.state in ADMIN_STATES or topup.reason in ADMIN_REASONS
        log = _log.warning if wants_admin else _log.info
        log("top-up settled", reference=topup.reference, state=topup.state, reason=topup.reason)
