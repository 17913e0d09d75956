"""Tells owners a week before an API key in use expires, so that no system stops unawares."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import partial

from bot.context import AppContext
from bot.jobs.daily import DailyRun, is_done, mark_done
from bot.notify.owners import notify_owners
from bot.outbox.database_retries import PushRows
from services.domain.business_days import NAIROBI
from services.domain.database import Priority
from services.domain.outbox import OutboxRow
from services.ports import Clock, Tx
from services.ports.database import Database

AT = time(10, 0)  # in Nairobi: when somebody is there to do something about it
JOB = "api_keys"
AHEAD = timedelta(days=7)
IN_USE = timedelta(days=30)  # a key that was used within these is missed when it ends


class ApiKeyExpiryJob:
    def __init__(
        self, database: Database, clock: Clock, context: AppContext, push: PushRows
    ) -> None:
        self._database = database
        self._clock = clock
        self._context = context
        self._push = push

    async def scan(self) -> datetime | None:
        """Runs once per business day, catching up after downtime; returns the next 10:00."""
        run = DailyRun.on_day_of(self._clock.now(), AT)
        if run.is_due and not await is_done(self._database, JOB, run.day):
            self._push(await self._database.write(partial(self._tell, run), Priority.JOBS))
        return run.next_due_at

    def _tell(self, run: DailyRun, tx: Tx) -> list[OutboxRow]:
        """Of the keys that end between the week after the run before and the week after this one:
        so each is told of once, also after days without a run."""
        last = tx.daily.last(JOB)
        if not mark_done(tx, JOB, run.day):
            return []
        told_until = tx.now if last is None else _due_on(last) + AHEAD
        ends = tx.api_keys.expiring(
            max(tx.now, told_until), run.due_at + AHEAD, used_since=tx.now - IN_USE
        )
        rows: list[OutboxRow] = []
        for key in ends:
            facts = {"key": key.id, "code": key.partner, "at": key.expires_at}
            rows += notify_owners(tx, self._context, key.partner, "notice.api_key_expires", facts)
        return rows


def _due_on(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), AT, NAIROBI)
