"""Whether the program can serve: the answer to readiness probes.

The database is queried at most once a second, however many probes arrive.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import structlog

from bot.jobs.clock_watch import ClockWatch
from bot.jobs.scheduler import JobScheduler
from bot.workers.bank_worker import BankWorker
from services.domain.database import DatabaseFailed, Priority
from services.ports import Clock, Tx
from services.ports.database import Database

FRESH_S = 1.0  # how long the database's last answer is reused
FREE_MIN = 1 << 20  # bytes of free disk space; with less, the next write may not fit
BATCH_MAX_S = 15.0  # longer than a batch that waits for another program's lock
WRITER = "writer"
SILENT = "the database does not answer in time"
_log = structlog.get_logger(__name__)


class Readiness:
    """``workers`` by the name of the job that wakes them; ``path`` is the database's, or ``None``
    when it is no file."""

    def __init__(
        self,
        database: Database,
        path: Path | None,
        clock: Clock,
        clock_watch: ClockWatch,
        jobs: JobScheduler,
        workers: Mapping[str, BankWorker],
    ) -> None:
        self._database = database
        self._path = path
        self._clock = clock
        self._clock_watch = clock_watch
        self._jobs = jobs
        self._workers = workers
        self._asking: asyncio.Task[None] | None = None
        self._asked_at: float | None = None
        self._answer: str | None = None
        self._reported: list[str] = []
        self.oldest_message_s = 0.0  # age of the oldest waiting message, as of the last query

    async def faults(self, limit_s: float) -> list[str]:
        """The reasons why nothing can be served now, a few words each; empty when all is well.

        Changes are logged. Takes ``limit_s`` at most.
        """
        if not self._jobs.is_running:
            return ["starting or stopping"]
        found = [await self._ask_database(limit_s), self._clock_watch.why_not_ready()]
        if self._database.damaged is not None:
            found.append(f"the database is damaged: {self._database.damaged}")
        found += [f"{name} is stuck" for name, is_stuck in self.stuck().items() if is_stuck]
        faults = [fault for fault in found if fault is not None]
        if faults and not self._reported:
            _log.error("not ready", why="; ".join(faults))
        elif self._reported and not faults:
            _log.info("ready again")
        self._reported = faults
        return faults

    def stuck(self) -> Mapping[str, bool]:
        """For the writer thread and each job with its worker: whether work is due, but no progress
        was made for much longer than it may take."""
        jobs = self._jobs.stuck()
        workers = {name for name, worker in self._workers.items() if worker.is_stuck}
        names = sorted(self._jobs.states)
        return {WRITER: self._database.batch_s > BATCH_MAX_S} | {
            name: name in jobs or name in workers for name in names
        }

    def stop(self) -> None:
        if self._asking is not None:
            self._asking.cancel()

    async def _ask_database(self, limit_s: float) -> str | None:
        now = self._clock.monotonic()
        if self._asking is None and (self._asked_at is None or now - self._asked_at >= FRESH_S):
            self._asked_at = now
            self._asking = asyncio.create_task(self._ask())
        if self._asking is not None and self._asked_at is not None:
            # One query at a time, however many callers wait.
            remaining_s = self._asked_at + limit_s - now
            await asyncio.wait((self._asking,), timeout=max(remaining_s, 0.0))
        return self._answer if self._asking is None else SILENT

    async def _ask(self) -> None:
        self._answer = SILENT
        try:
            self._answer = await self._fault_of_database()
        finally:
            self._asking = None

    async def _fault_of_database(self) -> str | None:
        try:
            written = await self._database.write(_write, Priority.JOBS)
            marked, self.oldest_message_s = await self._database.read(_read)
            if marked < written:
                return "the database fails: what was written cannot be read"
            if self._path is not None and _is_full(self._path.parent):
                return "the disk is full"
        except (DatabaseFailed, OSError) as error:
            return f"the database fails: {error}"
        return None


def _write(tx: Tx) -> int:
    """Rewrites an existing row, so that nothing grows."""
    tx.clock.mark()
    return tx.now_ms


def _read(tx: Tx) -> tuple[int, float]:
    _, since = tx.outbox.waiting(1)
    age = 0.0 if since is None else (tx.now - since).total_seconds()
    return tx.clock.marked_ms(), max(age, 0.0)


def _is_full(folder: Path) -> bool:
    """Rows may still fit for a while, because the database reuses parts of its log."""
    disk = os.statvfs(folder)
    return disk.f_blocks > 0 and disk.f_bavail * disk.f_frsize < FREE_MIN
