"""The worker that sends partners' events to their own servers.

A crash in the middle of a try ends its lease, and the event is sent again under the same id: a
receiver gets everything at least once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import structlog

from bot.context import AppContext
from bot.notify.webhooks import queue_switched_off
from bot.outbox.database_retries import PushRows
from bot.workers.bank_worker import CallPool, Wake
from bot.workers.leased_worker import LeasedWorker
from services.domain.database import Priority
from services.domain.lease import Lease
from services.domain.outbox import OutboxRow
from services.domain.webhook import (
    SPREAD,
    Delivered,
    Delivery,
    GiveUp,
    NextStep,
    NotTaken,
    Taken,
    TryAgain,
    WaitingEndpoint,
    WebhookAnswer,
    next_step,
)
from services.domain.webhook_signature import signed_headers
from services.ports import Clock, Tx, WebhookTransport
from services.ports.database import Database

_log = structlog.get_logger(__name__)

AT_ONCE = 64  # tries under way, over all endpoints
AT_ONCE_EACH = 8  # to one endpoint: one that is slow leaves room for the others
LEASE = timedelta(seconds=60)  # longer than a try with its commits
PAGE = 500  # deliveries given up in one transaction
STOP_S = 5.0  # that a try under way gets at shutdown; it is made again after the next start


class WebhookWorker(LeasedWorker):
    """``owner`` is the name of this process (``services.domain.lease``)."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        context: AppContext,
        push: PushRows,
        wake: Wake,
        owner: str,
        transport: WebhookTransport,
    ) -> None:
        self._pool = CallPool(AT_ONCE)
        super().__init__(database, clock, push, wake, (self._pool,), Lease(owner, LEASE))
        self._context = context
        self._transport = transport
        self._under_way: Counter[str] = Counter()  # tries by endpoint
        self._served: dict[str, None] = {}  # endpoints, the most recently served last

    def _end_leases_of_others(self, tx: Tx) -> int:
        return tx.webhook_deliveries.end_leases_of_others(self._lease.owner)

    def _end_leases_of(self, tx: Tx, owners: Collection[str]) -> int:
        return tx.webhook_deliveries.end_leases_of(owners)

    async def scan(self) -> datetime | None:
        """Begin due tries for which there is room; returns when the next is due."""
        if self._stopping:
            return None
        await self._take_over()
        # Read here, since the function runs on the writer's thread.
        free, under_way = self._pool.free_slots, Counter(self._under_way)
        work, due = await self._database.write(
            lambda tx: self._claim(tx, free, under_way), Priority.JOBS
        )
        for delivery in work:
            self._under_way[delivery.endpoint] += 1
            self._begin(self._pool, self._send(delivery))
        return self._next_scan(due)

    def _claim(
        self, tx: Tx, free: int, under_way: Counter[str]
    ) -> tuple[list[Delivery], datetime | None]:
        """The tries to begin, and when the next is due of the endpoints that still have room: a
        full one wakes the scan when a try of its ends."""
        waiting = tx.webhook_deliveries.waiting()
        for endpoint in waiting:
            if not endpoint.is_on:
                tx.webhook_deliveries.give_up_switched_off(endpoint.endpoint, PAGE)
        known = {one.endpoint for one in waiting}
        self._served = {endpoint: None for endpoint in self._served if endpoint in known}
        due = [one for one in waiting if one.due_at <= tx.now and _room(one, under_way) > 0]
        work: list[Delivery] = []
        for endpoint, room in self._shares(due, free, under_way):
            claimed = tx.webhook_deliveries.claim(
                endpoint.endpoint, self._lease, room, only_tests=not endpoint.is_on
            )
            under_way[endpoint.endpoint] += len(claimed)
            work += claimed
        left = (one.due_at for one in tx.webhook_deliveries.waiting() if _room(one, under_way) > 0)
        return work, min(left, default=None)

    def _shares(
        self, due: Sequence[WaitingEndpoint], free: int, under_way: Counter[str]
    ) -> list[tuple[WaitingEndpoint, int]]:
        """How many tries each endpoint may begin: one each in turn, those first that have waited
        longest for theirs."""
        turns = {endpoint: turn for turn, endpoint in enumerate(self._served)}
        order = sorted(due, key=lambda one: turns.get(one.endpoint, -1))
        shares = Counter[str]()
        while free > 0 and (takers := [one for one in order if _room(one, under_way + shares) > 0]):
            shares.update(one.endpoint for one in takers[:free])
            free -= len(takers[:free])
        for endpoint in shares:
            self._served.pop(endpoint, None)
            self._served[endpoint] = None
        return [(one, shares[one.endpoint]) for one in order if shares[one.endpoint]]

    # One try --------------------------------------------------------------------------------

    async def _send(self, delivery: Delivery) -> None:
        due: datetime | None = None
        try:
            due = await self._try(delivery)
        finally:
            was_full = self._under_way[delivery.endpoint] >= AT_ONCE_EACH
            self._under_way[delivery.endpoint] -= 1
            self._under_way += Counter()  # drops endpoints without any
            if not self._stopping:
                if was_full or (due is not None and due <= self._clock.now()):
                    self._wake(None)
                elif due is not None:
                    self._wake(due)

    async def _try(self, delivery: Delivery) -> datetime | None:
        """Returns when the next for this endpoint is due."""
        began = self._clock.monotonic()
        answer = await self._answer(delivery)
        spread = self._context.random.uniform(-SPREAD, SPREAD)

        def record(tx: Tx) -> tuple[tuple[NextStep, datetime | None], list[OutboxRow]]:
            step = next_step(
                answer,
                tries_left=delivery.tries_left,
                is_test=delivery.is_test,
                now=tx.now,
                spread=spread,
            )
            rows = self._record(tx, delivery, answer, step)
            if isinstance(step, GiveUp) and step.switch_off is not None:
                return (step, tx.now), rows  # what else is queued there is given up
            return (step, tx.webhook_deliveries.next_due(delivery.endpoint)), rows

        recorded = await self._commit_answer(record)
        assert recorded is not None
        step, due = recorded
        self._log(delivery, answer, step, self._ms_since(began))
        return due

    async def _answer(self, delivery: Delivery) -> WebhookAnswer:
        secret = self._context.keys.unseal(delivery.secret)
        if secret is None:
            return NotTaken(None, "its secret cannot be opened")
        event = delivery.event
        body = event.body()
        headers = signed_headers(secret, event.id, self._clock.now(), body)
        return await self._transport.post(delivery.url, headers, body)

    def _record(
        self, tx: Tx, delivery: Delivery, answer: WebhookAnswer, step: NextStep
    ) -> list[OutboxRow]:
        """Nothing changes for a claim that another worker has taken over, except by success."""
        status = answer.status if isinstance(answer, Taken | NotTaken) else 410
        why = answer.why if isinstance(answer, NotTaken) else f"HTTP {status}"
        match step:
            case Delivered():
                assert isinstance(answer, Taken)
                tx.webhook_deliveries.taken(delivery, answer.status)
            case TryAgain(at):
                tx.webhook_deliveries.try_again(delivery, at, status, why)
            case GiveUp(switch_off):
                given_up = tx.webhook_deliveries.give_up(delivery, status, why)
                if given_up and switch_off is not None:
                    return queue_switched_off(tx, self._context, delivery, switch_off)
        return []

    def _log(self, delivery: Delivery, answer: WebhookAnswer, step: NextStep, took_ms: int) -> None:
        self._context.metrics.webhook(answer)
        write = _log.info if isinstance(answer, Taken) else _log.warning
        write(
            "webhook",
            endpoint=delivery.endpoint,
            webhook=delivery.event.id,
            answer=type(answer).__name__,
            why=answer.why if isinstance(answer, NotTaken) else None,
            then=type(step).__name__,
            attempt=delivery.attempt,
            ms=took_ms,
        )


def _room(endpoint: WaitingEndpoint, under_way: Counter[str]) -> int:
    return AT_ONCE_EACH - under_way[endpoint.endpoint]
