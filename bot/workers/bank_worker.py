"""Base of the workers that call the bank: pools of calls, and answers that are never lost.

No transaction is open during a call. Its answer is committed however long that takes, even if the
worker is stopped meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import structlog

from bot.outbox.database_retries import PushRows, write_until_committed
from services.domain.outbox import OutboxRow
from services.ports import Clock, Tx
from services.ports.database import Database

T = TypeVar("T")
Wake = Callable[[datetime | None], None]  # due time; None: now
_log = structlog.get_logger(__name__)

STUCK_S = 240.0  # a call under way for longer hangs
WRITE_S = 5.0  # real seconds for committing answers at shutdown


class CallPool:
    """The calls of one kind that are under way, ``most`` at once."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.tasks: dict[asyncio.Task[None], float] = {}  # start time, by ``Clock.monotonic``

    @property
    def free_slots(self) -> int:
        return self.most - len(self.tasks)


class BankWorker:
    """``push`` receives committed messages to send; ``wake`` requests another scan."""

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
        """Whether any call has been under way for much longer than it may take."""
        since = self._clock.monotonic() - STUCK_S
        return any(began < since for pool in self._pools for began in pool.tasks.values())

    async def stop(self, grace_s: float) -> None:
        """Claim no more; calls in flight get ``grace_s`` seconds, then their outcome is unknown."""
        self._stopping = True
        tasks = [task for pool in self._pools for task in pool.tasks]
        if tasks and grace_s > 0:
            await asyncio.wait(tasks, timeout=grace_s)
        for task in tasks:
            task.cancel()
        for group in (tasks, self._commits):  # cancelled calls end at once, except for commits
            if group:
                _, unwritten = await asyncio.wait(group, timeout=WRITE_S)
                for task in unwritten:  # the database is down: the next start ends the lease
                    task.cancel()

    def abort(self) -> None:
        """Stop without recording anything, as a kill would."""
        self._stopping = True
        for pool in self._pools:
            for task in pool.tasks:
                task.cancel()

    def _begin(self, pool: CallPool, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        pool.tasks[task] = self._clock.monotonic()
        task.add_done_callback(partial(self._ended, pool))
        return task

    def _ended(self, pool: CallPool, task: asyncio.Task[None]) -> None:
        others_may_wait = pool.free_slots <= 0
        pool.tasks.pop(task, None)
        failed = not task.cancelled() and task.exception() is not None
        if failed:
            _log.error("bank worker failed; its lease will end", exc_info=task.exception())
        if (others_may_wait or failed) and not self._stopping:
            self._wake(None)

    def _next_scan(self, due: datetime | None) -> datetime | None:
        """``None`` while a pool is full: it wakes the scan itself when it has room again."""
        return None if any(pool.free_slots <= 0 for pool in self._pools) else due

    def _next_due(self, tx: Tx) -> datetime | None:
        """When the next work is due, after an answer was recorded."""
        return None

    async def _commit_answer(
        self, write: Callable[[Tx], tuple[T | None, list[OutboxRow]]]
    ) -> T | None:
        """Commit an answer, even if its task is cancelled meanwhile."""
        noting = asyncio.create_task(self._commit(write))
        self._commits.add(noting)
        noting.add_done_callback(self._commits.discard)
        return await asyncio.shield(noting)

    async def _commit(self, write: Callable[[Tx], tuple[T | None, list[OutboxRow]]]) -> T | None:
        def note(tx: Tx) -> tuple[T | None, list[OutboxRow], datetime | None]:
            return *write(tx), self._next_due(tx)

        change, rows, due = await write_until_committed(self._database, self._clock, note)
        self._push(rows)
        due = self._next_scan(due)
        if due is not None and not self._stopping:
            self._wake(due if due > self._clock.now() else None)
        return change

    def _ms_since(self, began: float) -> int:
        """``began`` by ``Clock.monotonic``."""
        return round((self._clock.monotonic() - began) * 1_000)
