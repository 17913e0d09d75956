"""Functions wait in line for one writer, which commits many at once.

The unit of work is a function: it gets the transaction and runs to completion on the writer's
thread, and its caller resumes only after the commit that contains it. An engine says how a batch is
run and what becomes of its connection afterwards.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Collection, Hashable, Sequence
from typing import Any, ClassVar, TypeVar

import structlog

from services.domain.clock_step import ClockStep
from services.domain.database import DatabaseUnavailable, Priority, SimulatedCrash, leading
from storage.queued_write import QueuedWrite
from storage.stores.clock import ClockFollower
from storage.time.timekeeper import Timekeeper
from storage.transaction import StoreTx

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class QueuedDatabase(ABC):
    """All methods must be called on the event loop's thread.

    ``BATCH_MAX``: functions per commit. ``JOBS_SHARE``: slots of a batch reserved for jobs, however
    many people wait. Without ``threads``, everything runs on the event loop in call order.
    """

    BATCH_MAX: ClassVar[int]
    JOBS_SHARE: ClassVar[int]

    def __init__(
        self, timekeeper: Timekeeper, process: str, *, threads: bool, marks_time: bool = True
    ) -> None:
        self.time = timekeeper
        self.process = process
        self.stepped: Callable[[ClockStep], None] = lambda step: None
        self.changed: Callable[[frozenset[str]], None] = lambda references: None
        self.webhooks_queued: Callable[[], None] = lambda: None
        self.elsewhere: Callable[[frozenset[str] | None], None] = lambda references: None
        self.leading_changed: Callable[[bool], None] = lambda leads: None
        self.gone: Callable[[Collection[str]], None] = lambda processes: None
        self.says: Callable[[], str] = lambda: ""
        self.is_taken_away: Callable[[], bool] = lambda: False  # simulations
        self.damaged: str | None = None  # what the engine reported about its data, verbatim
        self._threads = threads
        self._clock = ClockFollower(timekeeper, marks=marks_time)
        self._tx: StoreTx | None = None  # the writer's; None while there is none
        self._waiting: tuple[deque[QueuedWrite[Any]], deque[QueuedWrite[Any]]] = (
            deque(),
            deque(),
        )
        self._draining: asyncio.Task[None] | asyncio.Handle | None = None
        self._batch_since: float | None = None
        self._killed = False
        self._closing = False
        self._writes_in_flight = 0

    async def write(
        self,
        function: Callable[[StoreTx], T],
        priority: Priority = Priority.PEOPLE,
        *,
        about: Hashable | None = None,
    ) -> T:
        """Run ``function`` in the next commit; returns after that commit.

        An exception it raises is re-raised here (the driver's own as ``DatabaseFailed``), and only
        its own work is rolled back. Raises ``DatabaseUnavailable`` when the commit itself failed,
        so nothing happened.
        """
        if self._killed:
            raise asyncio.CancelledError("the database was killed")
        self._check_open()
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        job = QueuedWrite(function, future, priority, leading=leading.get(), about=about)
        self._waiting[priority].append(job)
        self._writes_in_flight += 1
        try:
            if self._draining is None:
                if self._threads:
                    self._draining = asyncio.create_task(self._drain())
                else:
                    self._draining = asyncio.get_running_loop().call_soon(self._drain_now)
            return await future
        finally:
            self._writes_in_flight -= 1

    def _check_open(self) -> None:
        if self._closing:
            raise DatabaseUnavailable("the database is closed")
        if self.is_taken_away():
            raise DatabaseUnavailable("the database is away")

    async def follow_clock(self) -> None:
        """Follow a clock step even when there is nothing else to write."""
        if self._clock.is_behind:
            await self.write(lambda tx: None, Priority.JOBS)

    @property
    def waiting(self) -> int:
        """Functions waiting for the writer, not counting the current batch."""
        return sum(len(queue) for queue in self._waiting)

    @property
    def batch_s(self) -> float:
        """How long the writer has been running the current batch; zero when idle."""
        since = self._batch_since
        return 0.0 if since is None else time.monotonic() - since

    def mark_damaged(self, why: str) -> None:
        if self.damaged is None:
            self.damaged = why
            _log.critical("the database is damaged: restore a backup", why=why)

    def simulate_crash(self) -> None:
        """Simulate a crash: no caller is notified any more, and nothing more is written."""
        self._killed = True
        for queue in self._waiting:
            for job in queue:
                job.future.cancel()
            queue.clear()

    # What an engine does ------------------------------------------------------------------------

    @abstractmethod
    async def _open_writer(self, migrating: bool) -> None:
        """Open the writer's connection and set ``_tx``."""

    @abstractmethod
    async def _run_batch(
        self, tx: StoreTx, batch: list[QueuedWrite[Any]]
    ) -> list[QueuedWrite[Any]]:
        """Run the batch and commit. Returns those that wait again: they were not run, or others
        were in their way."""

    @abstractmethod
    def _take_steps(self) -> list[ClockStep]:
        """Clock steps that were committed but not yet reported."""

    @abstractmethod
    async def _batch_failed(
        self, batch: list[QueuedWrite[Any]], error: Exception
    ) -> list[QueuedWrite[Any]] | None:
        """Fail what waits, and let go of a connection that cannot be used any more. Or, when it was
        committed after all, return those that wait again."""

    # The queue ----------------------------------------------------------------------------------

    async def _finish_writes(self) -> None:
        """Accept no more, and write what was queued."""
        self._closing = True
        if isinstance(self._draining, asyncio.Handle):
            self._draining.cancel()
            self._drain_now()
        elif self._draining is not None:
            await self._draining

    def _drain_now(self) -> None:
        """Without threads nothing in ``_drain`` ever waits, so it needs no task."""
        try:
            self._drain().send(None)
        except StopIteration:
            return
        raise RuntimeError("something waits where there is no thread to wait for")

    async def _drain(self) -> None:
        try:
            while any(self._waiting):
                if self._killed:
                    return
                batch = self._next_batch()
                left: list[QueuedWrite[Any]] | None = []
                try:
                    if self._tx is None:
                        await self._open_writer(migrating=False)
                    assert self._tx is not None
                    self._batch_since = time.monotonic()
                    left = await self._run_batch(self._tx, batch)
                except SimulatedCrash:
                    self.simulate_crash()
                except Exception as error:  # noqa: BLE001  whatever it was, nobody waits for ever
                    left = await self._batch_failed(batch, error)
                finally:
                    self._batch_since = None
                if left is None:
                    continue
                await self._tell(batch, left)
                if self._killed:
                    return
                for job in reversed(left):
                    if not job.put_off:
                        self._waiting[job.priority].appendleft(job)
                for job in left:
                    if job.put_off:  # nobody else need wait for what it waits for
                        self._waiting[job.priority].append(job)
                for step in self._take_steps():
                    self.stepped(step)
                if self._tx is not None and self._tx.webhooks.take_queued():
                    self.webhooks_queued()
        finally:
            self._draining = None

    async def _tell(self, batch: list[QueuedWrite[Any]], left: list[QueuedWrite[Any]]) -> None:
        waiting = set(map(id, left))
        committed = [job for job in batch if id(job) not in waiting]
        if not self._killed:
            self._tell_changed(committed)
        for n, job in enumerate(committed):
            if n and self._threads:  # other ready tasks wait for the first caller only
                await asyncio.sleep(0)
            if self._killed:
                job.future.cancel()
            else:
                job.tell()
        if self._killed:
            for job in left:
                job.future.cancel()

    def _next_batch(self) -> list[QueuedWrite[Any]]:
        """One that others of its batch could be in the way of goes alone."""
        people, jobs = self._waiting
        for queue in (people, jobs):
            if queue and queue[0].runs_alone:
                return [queue.popleft()]
        batch: list[QueuedWrite[Any]] = []
        room = self.BATCH_MAX - min(len(jobs), self.JOBS_SHARE)
        while people and len(batch) < room:
            batch.append(people.popleft())
        while jobs and len(batch) < self.BATCH_MAX:
            batch.append(jobs.popleft())
        return batch

    def _tell_changed(self, committed: list[QueuedWrite[Any]]) -> None:
        changed: frozenset[str] = frozenset().union(*(job.changed for job in committed))
        if changed:
            self.changed(changed)

    def _fail_waiting(self, batch: Sequence[QueuedWrite[Any]], error: Exception) -> None:
        for job in (*batch, *self._waiting[0], *self._waiting[1]):
            if not job.future.done():
                job.future.set_exception(DatabaseUnavailable(str(error)))
        for queue in self._waiting:
            queue.clear()
