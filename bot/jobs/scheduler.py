"""Runs jobs: scans for due rows, at the time a scan asked for or when work was added.

The database is the source of truth: scans are idempotent and may run late or twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger

from bot.clock import SystemClock
from bot.observe.job_state import JobState
from services.domain.database import DatabaseUnavailable, leading
from services.ports import Clock

_log = structlog.get_logger(__name__)

Scan = Callable[[], Awaitable[datetime | None]]
SCAN_MAX_S = 60.0  # default limit on the duration of a scan
LATE_MAX_S = 60.0  # that a scan may be late
FAILED_AGAIN = timedelta(seconds=5)  # retry delay after a scan that raised


class Alarm(Protocol):
    """Calls back after a delay: APScheduler in reality, the virtual clock in simulation."""

    def start(self) -> None: ...

    def set(self, name: str, wait: timedelta, action: Callable[[], None]) -> None:
        """Replaces an alarm already set under ``name``."""
        ...

    def stop(self) -> None: ...


class SchedulerAlarm:
    """APScheduler in UTC.

    By default it drops runs that are late or overlap; ``misfire_grace_time=None`` and
    ``max_instances`` prevent that, because ``JobScheduler`` itself runs each scan alone. It uses
    the system clock, and stays silent when that is set back, until ``JobScheduler.clock_was_set``
    sets all alarms again.
    """

    def __init__(self) -> None:
        self._machine = SystemClock()
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 100, "misfire_grace_time": None},
        )

    def start(self) -> None:
        self._scheduler.start()

    def set(self, name: str, wait: timedelta, action: Callable[[], None]) -> None:
        when = self._machine.now() + wait

        async def ring() -> None:  # a plain function would run in a thread
            action()

        self._scheduler.add_job(ring, DateTrigger(when, UTC), id=name, replace_existing=True)

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)


class JobScheduler:
    """Never runs a job twice at once; a job woken while it runs is run again."""

    def __init__(self, clock: Clock, alarm: Alarm) -> None:
        self._clock = clock
        self._alarm = alarm
        self._scans: dict[str, Scan] = {}
        self._asked: dict[str, Callable[[], None]] = {}
        self.states: dict[str, JobState] = {}
        self._limits: dict[str, float] = {}
        self._rings: dict[str, float] = {}  # monotonic time of each alarm
        self._began: dict[str, float] = {}  # monotonic start of each running scan
        self._running: dict[str, asyncio.Task[None]] = {}
        self._woken: set[str] = set()
        self.left_to_leader: dict[str, datetime] = {}  # when a job was asked for that runs there
        self._everywhere: set[str] = set()
        self._leads = True
        self._started = False
        self._stopping = False

    @property
    def names(self) -> list[str]:
        return sorted(self._scans)

    def add(
        self,
        name: str,
        scan: Scan,
        asked: Callable[[], None] | None = None,
        limit_s: float = SCAN_MAX_S,
        everywhere: bool = False,
    ) -> None:
        """``asked`` is called when the next scan should do its work whatever the time. A scan that
        takes longer than ``limit_s`` is ``stuck``. ``everywhere``: also in a process that does not
        lead."""
        self._scans[name] = scan
        if everywhere:
            self._everywhere.add(name)
        self._limits[name] = limit_s
        self.states[name] = JobState(name)
        if asked is not None:
            self._asked[name] = asked

    @property
    def is_running(self) -> bool:
        return self._started and not self._stopping

    def stuck(self) -> list[str]:
        """Jobs that run for too long, or are overdue and not running."""
        now = self._clock.monotonic()
        found = [name for name, began in self._began.items() if now - began > self._limits[name]]
        for name, rings in self._rings.items():
            if name not in self._began and now - rings > LATE_MAX_S:
                found.append(name)
        return found

    def start(self, *, leads: bool = True) -> None:
        """Run every job once; each returns when it is due next. Where another process ``leads``,
        only those that run everywhere."""
        self._started, self._leads = True, leads
        self._alarm.start()
        for name in self._scans:
            self.wake(name)

    def lead(self, leads: bool) -> None:
        """This process begins to lead, or no longer does: what runs then comes to its end, and its
        writes are refused."""
        self._leads = leads
        left, self.left_to_leader = self.left_to_leader, {}
        for name in self._scans.keys() - self._everywhere:
            if leads and self._started:
                if name in left:
                    self.ask(name)
                else:
                    self.wake(name)
            elif not leads:
                self._rings.pop(name, None)
                state = self.states[name]
                state.next_at, state.failures, state.error = None, 0, None

    def _runs_here(self, name: str) -> bool:
        return self._leads or name in self._everywhere

    def wake(self, name: str, due: datetime | None = None) -> None:
        """Run the job at ``due``; without it now, or again after the current run.

        Running too early is harmless, so an alarm is only ever moved earlier.
        """
        if self._stopping or not self._runs_here(name):
            return
        if due is not None:
            wait = due - self._clock.now()
            rings = self._clock.monotonic() + wait.total_seconds()
            if name not in self._rings or rings < self._rings[name]:
                self._rings[name], self.states[name].next_at = rings, due
                self._alarm.set(name, wait, partial(self._alarmed, name))
            return
        if name in self._running:
            self._woken.add(name)
            return
        self._began[name] = self._clock.monotonic()
        token = leading.set(name not in self._everywhere)
        try:  # a task keeps what is set when it is made
            self._running[name] = asyncio.create_task(self._run(name))
        finally:
            leading.reset(token)

    def clock_was_set(self) -> None:
        """Run every job, to recompute what is due."""
        self._rings.clear()
        if self._started:
            for name in self._scans:
                self.wake(name)

    def ask(self, name: str) -> None:
        """Run the job now, and let it do its work whatever the time. One that runs where another
        process leads is left to that."""
        if not self._runs_here(name):
            self.left_to_leader[name] = self._clock.now()
            return
        if name in self._asked:
            self._asked[name]()
        self.wake(name)

    async def run_now(self, name: str) -> None:
        """Run one job and wait for it; who is cancelled meanwhile leaves it running, as it is
        everybody's. Raises ``KeyError`` for an unknown name."""
        if name not in self._scans:
            raise KeyError(name)
        self.ask(name)
        task = self._running.get(name)
        if task is not None:
            await asyncio.shield(task)

    async def stop(self) -> None:
        """Start no more, and wait for running scans (each is short)."""
        self._stopping = True
        self._alarm.stop()
        if self._running:
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    def abort(self) -> None:
        """Stop without waiting, as a kill would."""
        self._stopping = True
        self._alarm.stop()
        for task in self._running.values():
            task.cancel()

    async def _run(self, name: str) -> None:
        due: datetime | None = None
        state = self.states[name]
        try:
            while True:
                self._woken.discard(name)
                state.ran_at, began = self._clock.now(), time.perf_counter()
                self._began[name] = self._clock.monotonic()
                try:
                    due = await self._scans[name]()
                except Exception as error:  # noqa: BLE001 - logged and retried
                    if isinstance(error, DatabaseUnavailable):
                        _log.warning("scan waits for the database", job=name, why=str(error))
                    else:
                        _log.exception("scan failed; it is tried again", job=name)
                    due = self._clock.now() + FAILED_AGAIN
                    state.failures, state.error = state.failures + 1, type(error).__name__
                else:
                    state.failures, state.error = 0, None
                state.runs, state.took_s = state.runs + 1, time.perf_counter() - began
                if name not in self._woken or self._stopping:
                    break
        finally:
            self._running.pop(name, None)
            self._began.pop(name, None)
        if due is not None:
            self.wake(name, due)

    def _alarmed(self, name: str) -> None:
        self._rings.pop(name, None)  # a replaced alarm may still ring
        self.states[name].next_at = None
        self.wake(name)
