"""The worker that buys float at the bank: claim, submit once, query what is unknown.

The one request that moves money is sent only after its intent is committed, and never again
(docs/architecture.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from bot.notify.notifier import Notifier
from bot.outbox.durable_write import PushRows
from bot.workers.bank_worker import BankWorker, CallPool, Wake
from services import float_settlement
from services.domain.bank import FloatAnswer, NotSent, Unknown
from services.domain.float_purchase import Purchase, PurchaseState
from services.domain.lease import Lease
from services.domain.operation import OperationType
from services.float_settlement import PurchaseChange
from services.ports import Clock, FloatBank
from storage.sqlite.database import Database, Priority
from storage.stores.outbox import OutboxRow
from storage.transaction import SqliteTx

_log = structlog.get_logger(__name__)

# Longer than token (20 s) and purchase (60 s), both repeated (refused token), and the commits.
LEASE = timedelta(seconds=240)
SENDS_MAX = 64  # purchases sent at once
STATUS_QUERIES_MAX = 64  # status queries at once


class FloatPurchaseWorker(BankWorker):
    def __init__(
        self,
        database: Database,
        bank: FloatBank,
        clock: Clock,
        notifier: Notifier,
        push: PushRows,
        wake: Wake,
        owner: str,
    ) -> None:
        self._sends = CallPool(SENDS_MAX)
        self._status_queries = CallPool(STATUS_QUERIES_MAX)
        super().__init__(database, clock, push, wake, (self._sends, self._status_queries))
        self._bank = bank
        self._notifier = notifier
        self._lease = Lease(owner, LEASE)

    async def recover(self) -> None:
        """At start-up, end the leases of earlier runs, if no other process can hold one."""
        if not self._database.sole_writer:
            return  # others may live: a lease ends by time
        ended = await self._database.write(
            lambda tx: tx.claims.end_leases_of_others(OperationType.FLOAT, self._lease.owner)
        )
        if ended:
            _log.info("leases of the last run ended", count=ended)

    async def scan(self) -> datetime | None:
        """Begin the due calls for which there is room; returns when the next is due."""
        if self._stopping:
            return None
        sends, queries = self._sends.free_slots, self._status_queries.free_slots

        def claim(
            tx: SqliteTx,
        ) -> tuple[Sequence[Purchase], list[PurchaseChange], list[OutboxRow], datetime | None]:
            work, settled = float_settlement.claim(tx, self._lease, sends, queries)
            rows = [row for change in settled for row in self._notifier.purchase(tx, change)]
            return work, settled, rows, self._next_due(tx)

        work, settled, rows, due = await self._database.write(claim, Priority.JOBS)
        self._push(rows)
        for change in settled:
            self._log(change)
        for purchase in work:
            if purchase.state is PurchaseState.AUTHORISED:
                self._begin(self._sends, self._submit(purchase))
            else:
                self._begin(self._status_queries, self._query_status(purchase))
        return self._next_scan(due)

    def _next_due(self, tx: SqliteTx) -> datetime | None:
        return tx.claims.next_due(OperationType.FLOAT)

    # One claim -----------------------------------------------------------------------------

    async def _submit(self, claimed: Purchase) -> None:
        began = self._clock.monotonic()
        ready = await self._bank.prepare()
        if isinstance(ready, NotSent):
            await self._record_answer(claimed, ready, began)
            return
        if self._stopping:
            return  # do not begin what shutdown might cut off: the next start takes it up
        submitting = await self._begin_submitting(claimed)
        if submitting is None:
            return
        began = self._clock.monotonic()
        try:
            answer = await self._bank.purchase(ready, float_settlement.order(submitting))
        except asyncio.CancelledError:
            await self._record_answer(submitting, Unknown("cancelled"), began)
            raise
        await self._record_answer(submitting, answer, began)

    async def _begin_submitting(self, claimed: Purchase) -> Purchase | None:
        """Commit the intent. If cancelled meanwhile, record that nothing was sent."""
        committing = asyncio.create_task(
            self._database.write(
                lambda tx: float_settlement.begin_submitting(tx, claimed, self._lease),
                Priority.JOBS,
            )
        )
        try:
            return await asyncio.shield(committing)
        except asyncio.CancelledError:
            submitting = await committing
            if submitting is not None:
                await self._record_answer(submitting, NotSent("stopped"), self._clock.monotonic())
            raise

    async def _record_answer(self, claimed: Purchase, answer: FloatAnswer, began: float) -> None:
        elapsed = self._ms_since(began)
        await self._record(
            lambda tx: float_settlement.record_purchase(tx, claimed, answer, elapsed)
        )

    async def _query_status(self, claimed: Purchase) -> None:
        began = self._clock.monotonic()
        answer = await self._bank.status(claimed.reference)
        elapsed = self._ms_since(began)
        await self._record(lambda tx: float_settlement.record_status(tx, claimed, answer, elapsed))

    async def _record(self, take_in: Callable[[SqliteTx], PurchaseChange | None]) -> None:
        def write(tx: SqliteTx) -> tuple[PurchaseChange | None, list[OutboxRow]]:
            settled = take_in(tx)
            return settled, [] if settled is None else self._notifier.purchase(tx, settled)

        settled = await self._commit_answer(write)
        if settled is not None:
            self._log(settled)

    def _log(self, settled: PurchaseChange) -> None:
        """One line per outcome; those that an admin must see are warnings."""
        purchase = settled.purchase
        log = _log.info if purchase.state is PurchaseState.SUCCEEDED else _log.warning
        log(
            "float purchase settled",
            reference=purchase.reference,
            state=purchase.state,
            reason=purchase.reason,
        )
