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

from bot.outbox.durable_write import PushRows, write_until_committed
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


class CallPool:
    """Calls of one kind under way, ``most`` at once."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.tasks: dict[asyncio.Task[None], float] = {}  # since when, by ``Clock.monotonic``

    @property
    def free_slots(self) -> int:
        return self.most - len(self.tasks)


class BankWorker:
    """``committed`` hears of messages to send; ``wake`` asks for another scan."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        push: PushRows,
        wake: Wake,
        pools: Sequence[CallPool],
    ) -> None:
        self._database = database
        self._clock = clock
        self._push = push
        self._wake = wake
        self._pools = pools
        self._commits: set[asyncio.Task[Any]] = set()
        self._stopping = False

    @property
    def is_stuck(self) -> bool:
        """Whether anything is under way for much longer than it may take."""
        since = self._clock.monotonic() - STUCK_S
        return any(began < since for pool in self._pools for began in pool.tasks.values())

    async def stop(self, grace_s: float) -> None:
        """Claim no more; calls in flight get ``grace_s``, then their outcome is unknown."""
        self._stopping = True
        tasks = {task for pool in self._pools for task in pool.tasks}
        if tasks and grace_s > 0:
            await asyncio.wait(tasks, timeout=grace_s)
        for task in tasks:
            task.cancel()
        for group in (tasks, self._commits):  # a worker ends at once, but for what it has in hand
            if group:
                _, unwritten = await asyncio.wait(group, timeout=WRITE_S)
                for one in unwritten:  # the database is gone: the next start ends the lease
                    one.cancel()

    def abort(self) -> None:
        """Stop without noting anything, as a kill would."""
        self._stopping = True
        for pool in self._pools:
            for task in pool.tasks:
                task.cancel()

    def _begin(self, pool: CallPool, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        pool.tasks[task] = self._clock.monotonic()
        task.add_done_callback(partial(self._ended, pool))

    def _ended(self, pool: CallPool, task: asyncio.Task[None]) -> None:
        others_may_wait = pool.free_slots <= 0
        pool.tasks.pop(task, None)
        failed = not task.cancelled() and task.exception() is not None
        if failed:
            _log.error("bank worker failed; its lease will end", exc_info=task.exception())
        if (others_may_wait or failed) and not self._stopping:
            self._wake(None)

    def _next_scan(self, due: datetime | None) -> datetime | None:
        """A full lane wakes the scan when it has room again, and needs no alarm."""
        return None if any(pool.free_slots <= 0 for pool in self._pools) else due

    def _next_due(self, tx: SqliteTx) -> datetime | None:
        """When there is something to do next, as an answer has left it."""
        return None

    async def _commit_answer(
        self, write: Callable[[SqliteTx], tuple[T | None, list[OutboxRow]]]
    ) -> T | None:
        """Commit an answer that is in hand, also when its worker is cancelled meanwhile."""
        noting = asyncio.create_task(self._commit(write))
        self._commits.add(noting)
        noting.add_done_callback(self._commits.discard)
        return await asyncio.shield(noting)

    async def _commit(
        self, write: Callable[[SqliteTx], tuple[T | None, list[OutboxRow]]]
    ) -> T | None:
        def note(tx: SqliteTx) -> tuple[T | None, list[OutboxRow], datetime | None]:
            return *write(tx), self._next_due(tx)

        change, rows, due = await write_until_committed(self._database, self._clock, note)
        self._push(rows)
        due = self._next_scan(due)
        if due is not None and not self._stopping:
            self._wake(due if due > self._clock.now() else None)
        return change

    def _ms_since(self, began: float) -> int:
        """``began`` by the clock that nobody can set."""
        return round((self._clock.monotonic() - began) * 1_000)
