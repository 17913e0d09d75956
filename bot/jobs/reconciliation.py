"""Each morning the day before is closed against the bank's statement, and what stood open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import partial

import structlog

from bot.notify.notifier import Notifier
from bot.outbox.durable_write import PushRows
from services import reconciliation
from services.domain.bank import NoAnswer
from services.domain.business_days import NAIROBI, business_day
from services.domain.reconciliation import BankLine, ReconciliationDay
from services.ports import BankStatements, Clock, Random
from storage.sqlite.database import Database, Priority
from storage.stores.outbox import OutboxRow
from storage.transaction import SqliteTx

_log = structlog.get_logger(__name__)

JOB = "reconciliation"
MISSING = "statement missing"  # the day on which admins were last told that there was none
CHUNK = 50  # lines of one transaction
RECENT_DAYS = 7  # days before today that are looked at each day: banks post lines late
OPEN_DAYS_MAX = 62  # days before today that are looked at again while they are open
RETRY_DELAY = timedelta(hours=1)  # after a statement that could not be had


class ReconciliationJob:
    """``at`` is in Nairobi, ``None`` for only when asked."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        random: Random,
        notifier: Notifier,
        push: PushRows,
        bank: BankStatements,
        at: time | None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._random = random
        self._notifier = notifier
        self._push = push
        self.bank = bank
        self._at = at
        self._asked = False

    def ask(self) -> None:
        """The next scan looks at every open day, whatever the time."""
        self._asked = True

    async def scan(self) -> datetime | None:
        """Once a day, also when it comes late; returns when the next one is due."""
        now, asked = self._clock.now(), self._asked
        self._asked = False
        at = None if self._at is None else datetime.combine(business_day(now), self._at, NAIROBI)
        today = business_day(now)
        done = await self._database.read(lambda tx: tx.daily.last(JOB)) == today.isoformat()
        is_due = at is not None and at <= now and not done
        if asked or is_due:
            if not await self._reconcile_days(today):
                self._asked |= asked
                return now + RETRY_DELAY
            await self._database.write(
                lambda tx: tx.daily.done(JOB, today.isoformat()), Priority.JOBS
            )
        if at is None:
            return None
        return at if now < at else at + timedelta(days=1)

    async def _reconcile_days(self, today: date) -> bool:
        """Whether the bank gave a statement of each. One without is told of, once a day, and holds
        up no other."""
        days = await self._database.read(partial(_days_to_reconcile, today))
        had: dict[date, list[BankLine]] = {}
        for day in (*days, today):  # today's, too: it may give back what yesterday took
            lines = await self.bank.lines(day)
            if isinstance(lines, NoAnswer):
                _log.warning("no statement", day=day.isoformat(), why=lines.why)
            else:
                had[day] = [line for line in lines if line.day == day]
        missing = [day for day in days if day not in had]
        for day in days:
            if day in had:
                await self.day(day, "ncba", had[day], lines_after(day, had))
        if missing:
            note = partial(self._note_missing, today, missing)
            self._push(await self._database.write(note, Priority.JOBS))
        return not missing

    def _note_missing(self, today: date, days: Sequence[date], tx: SqliteTx) -> list[OutboxRow]:
        for day in days:
            if tx.reconciliations.day(day) is None:  # from now on it stands open
                tx.reconciliations.save_day(day, "ncba", has_ended=False)
        if tx.daily.last(MISSING) == today.isoformat():
            return []
        tx.daily.done(MISSING, today.isoformat())
        return self._notifier.statement_missing(tx, days)

    async def day(
        self,
        day: date,
        source: str,
        lines: Sequence[BankLine],
        later: Sequence[BankLine] | None = None,
    ) -> ReconciliationDay:
        """Compare a day with these lines of it; again, or with more lines, does no harm. ``later``
        are those of the days behind it, ``None`` where there is no statement of such a day."""
        numbered = reconciliation.with_peers(lines)
        starts = range(0, len(numbered), CHUNK)
        for start in (*starts, *starts):  # what waited for the line of another payment, goes now
            take = partial(self._take, source, numbered[start : start + CHUNK], later)
            self._push(await self._database.write(take, Priority.JOBS))
        self._push(await self._database.write(partial(self._wait_over, day), Priority.JOBS))
        after, rows = await self._database.write(partial(self._finish, day, source), Priority.JOBS)
        self._push(rows)
        _log.info(
            "reconciled",
            day=day.isoformat(),
            lines=after.lines,
            matched=after.matched,
            findings=len(after.findings),
        )
        return after

    def _take(
        self,
        source: str,
        lines: Sequence[reconciliation.LineWithPeers],
        later: Sequence[BankLine] | None,
        tx: SqliteTx,
    ) -> list[OutboxRow]:
        return self._told(tx, reconciliation.record_lines(tx, self._random, source, lines, later))

    def _wait_over(self, day: date, tx: SqliteTx) -> list[OutboxRow]:
        return self._told(tx, reconciliation.settle_deferred_debits(tx, self._random, day))

    def _told(self, tx: SqliteTx, effects: Sequence[reconciliation.LineEffect]) -> list[OutboxRow]:
        return [row for one in effects for row in self._notifier.statement_line(tx, one)]

    def _finish(
        self, day: date, source: str, tx: SqliteTx
    ) -> tuple[ReconciliationDay, list[OutboxRow]]:
        after, is_news = reconciliation.close_day(tx, self._random, day, source)
        return after, self._notifier.day_reconciled(tx, after) if is_news else []


def lines_after(day: date, had: Mapping[date, Sequence[BankLine]]) -> Sequence[BankLine] | None:
    """The lines of the days behind it, where there is a statement of any."""
    later = [lines for other, lines in had.items() if other > day]
    return [line for lines in later for line in lines] if later else None


def _days_to_reconcile(today: date, tx: SqliteTx) -> list[date]:
    """The oldest first: what one brings, a later one may take back. Each since the first one that
    was ever asked for, also where the desk itself stood still for weeks."""
    lately = today - timedelta(days=RECENT_DAYS)
    oldest = tx.reconciliations.oldest_day()
    since = lately if oldest is None else min(oldest, lately)

    def is_due(day: date) -> bool:
        standing = tx.reconciliations.day(day)
        if standing is None:
            return day >= since
        return day >= lately or standing.closed_at is None

    days = (today - timedelta(days=back) for back in range(OPEN_DAYS_MAX, 0, -1))
    return [day for day in days if is_due(day)]
