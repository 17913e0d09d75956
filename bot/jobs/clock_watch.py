"""Reports that the system clock was set, and reschedules every job.

The database has shifted its due times by then (docs/decisions/0019). The report is for the people
who can correct the clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from functools import partial

import structlog

from bot.context import AppContext, queue_admin_notices
from bot.jobs.scheduler import JobScheduler
from bot.outbox.database_retries import PushRows, write_until_committed
from services.domain.clock_step import ClockStep
from services.domain.database import DatabaseUnavailable
from services.domain.outbox import OutboxRow
from services.ports import Clock, Tx
from services.ports.database import Database

NOT_READY_S = 60.0  # after a step, so that monitoring notices
TELL_EVERY_S = 600.0  # admins are told of one step at most in this time
STEPPED = "the clock was set"  # in the log
_log = structlog.get_logger(__name__)


class ClockWatch:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        context: AppContext,
        jobs: JobScheduler,
        push: PushRows,
    ) -> None:
        self._database = database
        self._clock = clock
        self._context = context
        self._jobs = jobs
        self._push = push
        self._latest: tuple[float, ClockStep] | None = None
        self._told_at: float | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._has_stopped = False

    def stepped(self, step: ClockStep) -> None:
        """Called when the database has followed a step."""
        now = self._clock.monotonic()
        self._latest = now, step
        _log.error(STEPPED, ahead=step.by > timedelta(0), by=_words(step), to=step.to.isoformat())
        if self._has_stopped:
            return
        self._jobs.clock_was_set()
        if self._told_at is None or now - self._told_at >= TELL_EVERY_S:
            self._told_at = now
            self._begin(self._tell(step))

    def watch(self, every_s: float) -> None:
        """Check the clock every ``every_s`` seconds, even while idle."""
        self._begin(self._watch(every_s))

    def why_not_ready(self) -> str | None:
        """The reason in a few words, for ``NOT_READY_S`` after a step."""
        if self._latest is None:
            return None
        at, step = self._latest
        if self._clock.monotonic() - at >= NOT_READY_S:
            return None
        return f"{STEPPED} {'ahead' if step.by > timedelta(0) else 'back'} by {_words(step)}"

    def stop(self) -> None:
        """Steps noticed by the last writes are only logged."""
        self._has_stopped = True
        for task in self._tasks:
            task.cancel()

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch(self, every_s: float) -> None:
        while True:
            await self._clock.sleep(every_s)
            try:
                await self._database.follow_clock()
            except DatabaseUnavailable:
                continue  # already logged; the next write reopens the database

    async def _tell(self, step: ClockStep) -> None:
        self._push(
            await write_until_committed(self._database, self._clock, partial(self._notice, step))
        )

    def _notice(self, step: ClockStep, tx: Tx) -> Sequence[OutboxRow]:
        key = "notice.clock_ahead" if step.by > timedelta(0) else "notice.clock_back"
        return queue_admin_notices(tx, self._context, key, {"by": _words(step), "at": step.to})


def _words(step: ClockStep) -> str:
    """Hours, minutes and seconds."""
    minutes, seconds = divmod(round(abs(step.by).total_seconds()), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
