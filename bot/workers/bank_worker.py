"""What every worker that talks to a bank has in common: lanes of calls, and answers kept.

A call is made with no transaction open. What it brought is committed however long that takes,
also when the worker is stopped meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import structlog

from bot.outbox.durable_write import Committed, write_until_committed
from services.ports import Clock
from storage.sqlite.database import Database
from storage.stores.outbox import OutboxRow
from storage.transaction import SqliteTx

T = TypeVar("T")
Wake = Callable[[datetime | None], None]  # at a moment, or now
_log = structlog.get_logger(__name__)

# Outlives token and request (20 s each), both once more (a refused token), and the commits around.
LEASE = timedelta(seconds=120)
STUCK_S = 2 * LEASE.total_seconds()  # after which whatever is under way ended long ago, or hangs
WRITE_S = 5.0  # real seconds for which a stop lets answers in hand be written down


class Lane:
    """Calls of one kind under way, ``most`` at once."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.tasks: dict[asyncio.Task[None], float] = {}  # since when, by ``Clock.monotonic``

    @property
    def room(self) -> int:
        return self.most - len(self.tasks)


class BankWorker:
    """``committed`` hears of messages to send; ``wake`` asks for another scan."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        committed: Committed,
        wake: Wake,
        lanes: Sequence[Lane],
    ) -> None:
        self._database = database
        self._clock = clock
        self._committed = committed
        self._wake = wake
        self._lanes = lanes
        self._noting: set[asyncio.Task[Any]] = set()
        self._stopping = False

    @property
    def is_stuck(self) -> bool:
        """Whether anything is under way for much longer than it may take."""
        since = self._clock.monotonic() - STUCK_S
        return any(began < since for lane in self._lanes for began in lane.tasks.values())

    async def stop(self, grace_s: float) -> None:
        """Claim no more; calls in flight get ``grace_s``, then their outcome is unknown."""
        self._stopping = True
        tasks = {task for lane in self._lanes for task in lane.tasks}
        if tasks and grace_s > 0:
            await asyncio.wait(tasks, timeout=grace_s)
        for task in tasks:
            task.cancel()
        for group in (tasks, self._noting):  # a worker ends at once, but for what it has in hand
            if group:
                _, unwritten = await asyncio.wait(group, timeout=WRITE_S)
                for one in unwritten:  # the database is gone: the next start ends the lease
                    one.cancel()

    def drop(self) -> None:
        """Stop without noting anything, as a kill would."""
        self._stopping = True
        for lane in self._lanes:
            for task in lane.tasks:
                task.cancel()

    def _begin(self, lane: Lane, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        lane.tasks[task] = self._clock.monotonic()
        task.add_done_callback(partial(self._ended, lane))

    def _ended(self, lane: Lane, task: asyncio.Task[None]) -> None:
        others_may_wait = lane.room <= 0
        lane.tasks.pop(task, None)
        failed = not task.cancelled() and task.exception() is not None
        if failed:
            _log.error("bank worker failed; its lease will end", exc_info=task.exception())
        if (others_may_wait or failed) and not self._stopping:
            self._wake(None)

    def _next_scan(self, due: datetime | None) -> datetime | None:
        """A full lane wakes the scan when it has room again, and needs no alarm."""
        return None if any(lane.room <= 0 for lane in self._lanes) else due

    def _next_due(self, tx: SqliteTx) -> datetime | None:
        """When there is something to do next, as an answer has left it."""
        return None

    async def _keep(
        self, write: Callable[[SqliteTx], tuple[T | None, list[OutboxRow]]]
    ) -> T | None:
        """Commit an answer that is in hand, also when its worker is cancelled meanwhile."""
        noting = asyncio.create_task(self._note(write))
        self._noting.add(noting)
        noting.add_done_callback(self._noting.discard)
        return await asyncio.shield(noting)

    async def _note(
        self, write: Callable[[SqliteTx], tuple[T | None, list[OutboxRow]]]
    ) -> T | None:
        def note(tx: SqliteTx) -> tuple[T | None, list[OutboxRow], datetime | None]:
            return *write(tx), self._next_due(tx)

        change, rows, due = await write_until_committed(self._database, self._clock, note)
        self._committed(rows)
        due = self._next_scan(due)
        if due is not None and not self._stopping:
            self._wake(due if due > self._clock.now() else None)
        return change

    def _ms_since(self, began: float) -> int:
        """``began`` by the clock that nobody can set."""
        return round((self._clock.monotonic() - began) * 1_000)
