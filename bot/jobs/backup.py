"""Makes a backup every night, deletes old ones, and tells admins when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path

import structlog

from bot.context import AppContext, queue_admin_notices
from bot.jobs.daily import DailyRun, mark_done
from bot.outbox.database_retries import PushRows
from bot.security import backup
from bot.security.backup_file import BackupFault
from services.domain.business_days import business_day
from services.domain.database import DatabaseFailed, Priority
from services.domain.outbox import OutboxRow
from services.ports import Clock, Tx
from services.ports.database import Database

_log = structlog.get_logger(__name__)

JOB = "backup-failed"
RETRY_DELAY = timedelta(hours=1)  # after a failure


@dataclass(frozen=True, slots=True)
class BackupPlan:
    """``at`` is in Nairobi; ``kept`` 0 means no backups."""

    database: Path
    folder: Path
    keys: Mapping[str, bytes]
    at: time
    kept: int


class BackupJob:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        context: AppContext,
        push: PushRows,
        plan: BackupPlan,
    ) -> None:
        self._database = database
        self._clock = clock
        self._context = context
        self._push = push
        self._plan = plan
        if plan.kept:
            context.metrics.backup_at = backup.NEVER

    async def scan(self) -> datetime | None:
        """Make the due backup, catching up after downtime; returns when the next one is due."""
        plan, now = self._plan, self._clock.now()
        if plan.kept == 0:
            return None
        run = DailyRun.on_day_of(now, plan.at)
        try:
            await asyncio.to_thread(self._make, run.latest_due_at, now)
        except (BackupFault, DatabaseFailed, OSError):
            _log.exception("the backup could not be made")
            self._push(await self._database.write(self._tell, Priority.JOBS))
            return now + RETRY_DELAY
        return run.next_due_at

    def _make(self, due: datetime, now: datetime) -> None:
        """Runs in a thread: copying is as slow as the disk."""
        plan, metrics = self._plan, self._context.metrics
        metrics.backup_at = backup.newest_at(plan.folder, now)
        if metrics.backup_at >= due:
            return
        file = backup.make(plan.database, plan.folder, plan.keys, now)
        metrics.backup_at = now
        deleted = backup.prune(plan.folder, plan.kept, now)
        _log.info("backup made", file=file.name, bytes=file.stat().st_size, deleted=len(deleted))

    def _tell(self, tx: Tx) -> list[OutboxRow]:
        """Once per business day."""
        if not mark_done(tx, JOB, business_day(tx.now)):
            return []
        return queue_admin_notices(tx, self._context, "notice.backup_failed", {})
