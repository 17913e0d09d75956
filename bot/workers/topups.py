"""The worker that talks to the bank about top-ups: claim, call, commit what came back.

The bank is called with no transaction open, and the one request that may move money only after
the intent to send it is committed (docs/architecture.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from bot.notify.notifier import Notifier
from bot.outbox.durable_write import PushRows
from bot.workers.bank_worker import LEASE, BankWorker, CallPool, Wake
from services import topups
from services.domain.bank import InitiateAnswer, NotSent, Prompt, QueryAnswer, Unknown
from services.domain.mpesa import NEEDS_ADMIN
from services.domain.topup import TopUp, TopUpState
from services.ports import Clock, Collections, Random
from services.topups import ChangeKind, TopUpChange
from storage.sqlite.database import Database, Priority
from storage.stores.outbox import OutboxRow
from storage.transaction import SqliteTx

_log = structlog.get_logger(__name__)

SENDS_MAX = 128  # prompts asked for at once
QUERIES_MAX = 512  # questions at once: they never keep a prompt waiting
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
    ) -> None:
        self._sends = CallPool(SENDS_MAX)
        self._queries = CallPool(QUERIES_MAX)
        super().__init__(database, clock, push, wake, (self._sends, self._queries))
        self._collections = collections
        self._random = random
        self._notifier = notifier

    async def recover(self) -> None:
        """At start-up: whoever held a lease is gone."""
        ended = await self._database.write(lambda tx: tx.topups.end_leases())
        if ended:
            _log.info("leases of the last run ended", count=ended)

    async def scan(self) -> datetime | None:
        """Begin all that is due and has room; returns the next due moment."""
        if self._stopping:
            return None
        sends, queries = self._sends.free_slots, self._queries.free_slots

        def claim(tx: SqliteTx) -> tuple[Sequence[TopUp], list[OutboxRow], datetime | None]:
            work, changes = topups.claim(tx, LEASE, sends, queries)
            return work, self._told(tx, changes), self._next_due(tx)

        work, rows, due = await self._database.write(claim, Priority.JOBS)
        self._push(rows)
        for topup in work:
            if topup.state is TopUpState.CREATED:
                self._begin(self._sends, self._send(topup))
            else:
                self._begin(self._queries, self._query(topup))
        return self._next_scan(due)

    def _next_due(self, tx: SqliteTx) -> datetime | None:
        return tx.topups.next_due()

    # One claim -----------------------------------------------------------------------------

    async def _send(self, claimed: TopUp) -> None:
        began = self._clock.monotonic()
        ready = await self._collections.prepare()
        if isinstance(ready, NotSent):
            await self._record_answer(claimed, ready, began)
            return
        if self._stopping:
            return  # nothing is begun that might be cut off: the next start takes it up
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
        """Commit the intent; cancelled meanwhile, nothing is sent, and that is written down."""
        committing = asyncio.create_task(
            self._database.write(lambda tx: topups.begin_sending(tx, claimed, LEASE), Priority.JOBS)
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
        await self._record(lambda tx: topups.record_initiate(tx, claimed, answer, elapsed, spread))

    async def _query(self, claimed: TopUp) -> None:
        assert claimed.bank_id is not None
        began = self._clock.monotonic()
        answer: QueryAnswer = await self._collections.query(claimed.bank_id)
        elapsed = self._ms_since(began)
        spread = self._random.uniform(-1, 1)
        await self._record(lambda tx: topups.record_query(tx, claimed, answer, elapsed, spread))

    async def _record(self, take_in: Callable[[SqliteTx], TopUpChange | None]) -> None:
        def write(tx: SqliteTx) -> tuple[TopUpChange | None, list[OutboxRow]]:
            change = take_in(tx)
            return change, self._told(tx, [] if change is None else [change])

        change = await self._commit_answer(write)
        if change is not None:
            self._log(change)

    def _told(self, tx: SqliteTx, changes: Sequence[TopUpChange]) -> list[OutboxRow]:
        return [row for change in changes for row in self._notifier.topup(tx, change)]

    def _log(self, change: TopUpChange) -> None:
        """One line an outcome; what an admin must see is a warning."""
        if change.kind is not ChangeKind.OUTCOME:
            return
        topup = change.topup
        wants_admin = topup.state in ADMIN_STATES or topup.reason in ADMIN_REASONS
        log = _log.warning if wants_admin else _log.info
        log("top-up settled", reference=topup.reference, state=topup.state, reason=topup.reason)
