"""Tries every night whether the newest backup could be restored, and whether its books hold.

Reading every transfer would hold up the running desk; of a copy it disturbs nobody. So this is also
where every invariant is examined.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, time
from functools import partial

import structlog

from bot.context import AppContext, queue_admin_notices
from bot.jobs.backup import BackupPlan
from bot.jobs.daily import DailyRun, is_done, mark_done
from bot.outbox.database_retries import PushRows
from bot.security import backup
from bot.security.backup_file import BackupFault
from services.domain.database import DatabaseFailed, Priority
from services.domain.outbox import OutboxRow
from services.ports import Clock, Tx
from services.ports.database import Database

_log = structlog.get_logger(__name__)

AT = time(4, 0)  # in Nairobi
PASSED, FAILED = "drill", "drill-failed"  # daily marks
SHOWN_MAX = 200  # characters of the first fault in a notice


class DrillJob:
    """``plan`` says where the backups are; it is tried beside the database, as a restore would."""

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

    async def scan(self) -> datetime | None:
        """Runs once per business day, catching up after downtime; returns the next 04:00. One that
        failed is tried again at the next start."""
        if self._plan.kept == 0:
            return None
        run = DailyRun.on_day_of(self._clock.now(), AT)
        if run.is_due and not await is_done(self._database, PASSED, run.day):
            faults = await asyncio.to_thread(self._faults)
            if faults is not None:
                note = partial(self._note, run.day, faults)
                self._push(await self._database.write(note, Priority.JOBS))
        return run.next_due_at

    def _faults(self) -> list[str] | None:
        """What is wrong with the newest backup, ``None`` if there is none. Runs in a thread."""
        backups = backup.list_backups(self._plan.folder)
        if not backups:
            return None
        _, file = backups[-1]
        try:
            faults = backup.verify(file, self._plan.keys, self._plan.database.resolve().parent)
        except (BackupFault, DatabaseFailed, OSError) as error:
            _log.exception("the drill could not be held", file=file.name)
            return [f"it cannot be tried: {type(error).__name__}"]
        if faults:
            _log.error("a backup is not sound", file=file.name, faults=faults[:3])
        else:
            _log.info("the backup can be restored", file=file.name)
        return faults

    def _note(self, day: date, faults: list[str], tx: Tx) -> Sequence[OutboxRow]:
        if not faults:
            mark_done(tx, PASSED, day)
            return []
        if not mark_done(tx, FAILED, day):
            return []
        facts = {"first": faults[0][:SHOWN_MAX]}
        return queue_admin_notices(tx, self._context, "notice.drill_failed", facts)
