"""Checks the audit log's hash chains every night, and tells admins of a break, or of the head."""

from __future__ import annotations

from datetime import date, datetime, time
from functools import partial

import structlog

from bot.context import AppContext, queue_admin_notices
from bot.jobs.daily import DailyRun, is_done, mark_done
from bot.outbox.database_retries import PushRows
from services.domain.audit import Expected
from services.domain.business_days import start_of_day_at
from services.domain.database import Priority
from services.domain.outbox import OutboxRow
from services.ports import Clock, Tx
from services.ports.database import Database

_log = structlog.get_logger(__name__)

AT = time(3, 0)  # in Nairobi
JOB = "audit"
PAGE = 1_000  # rows per read
SHOWN = 3  # breaks named in a notice


class AuditCheckJob:
    """``heads``: whether admins receive the head daily."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        context: AppContext,
        push: PushRows,
        *,
        heads: bool,
    ) -> None:
        self._database = database
        self._clock = clock
        self._context = context
        self._push = push
        self._heads = heads

    async def scan(self) -> datetime | None:
        """Runs once per business day, catching up after downtime; returns the next 03:00."""
        run = DailyRun.on_day_of(self._clock.now(), AT)
        if run.is_due and not await is_done(self._database, JOB, run.day):
            breaks = await self._breaks()
            self._context.metrics.audit_breaks = len(breaks)
            if breaks:
                _log.error("the audit log is broken", breaks=len(breaks), first=breaks[0])
            tell = partial(self._tell, run.day, breaks)
            self._push(await self._database.write(tell, Priority.JOBS))
        return run.next_due_at

    async def _breaks(self) -> list[str]:
        """Reads page by page, so that no snapshot is held for long."""
        expected: Expected = {}
        after: tuple[str, int] | None = ("", 0)
        found: list[str] = []
        while after is not None:
            look = partial(_page, after, expected)
            page, after = await self._database.read(look)
            found += page
        return found

    def _tell(self, day: date, breaks: list[str], tx: Tx) -> list[OutboxRow]:
        if not mark_done(tx, JOB, day):
            return []
        if breaks:
            facts = {"count": len(breaks), "breaks": "\n".join(breaks[:SHOWN])}
            return queue_admin_notices(tx, self._context, "notice.audit_broken", facts)
        if not self._heads:
            return []
        until = start_of_day_at(tx.now)
        head = tx.audit.head(until)
        facts = {"until": until.isoformat(), "rows": head.rows, "head": head.digest}
        return queue_admin_notices(tx, self._context, "notice.audit_head", facts)


def _page(
    after: tuple[str, int], expected: Expected, tx: Tx
) -> tuple[list[str], tuple[str, int] | None]:
    return tx.audit.breaks_after(after, PAGE, expected)
