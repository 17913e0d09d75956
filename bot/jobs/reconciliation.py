"""Reconciles the previous day, and days still open, with the bank's statement every morning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import partial

import structlog

from bot.jobs.daily import DailyRun, is_done, mark_done
from bot.notify.notifier import Notifier
from bot.outbox.database_retries import PushRows
from services.domain.bank import NoAnswer
from services.domain.bank_line import BankLine
from services.domain.business_days import business_day
from services.domain.database import Priority
from services.domain.outbox import OutboxRow
from services.domain.reconciliation import ReconciliationDay
from services.ports import BankStatements, Clock, Random, Tx
from services.ports.database import Database
from services.reconciliation import closing, intake
from services.reconciliation.effects import LineEffect

_log = structlog.get_logger(__name__)

JOB = "reconciliation"
MISSING = "statement missing"  # daily mark: admins were told that a statement is missing
CHUNK = 50  # statement lines per transaction
RECENT_DAYS = 7  # previous days checked every day: banks post lines late
OPEN_DAYS_MAX = 62  # previous days checked again while they are open
RETRY_DELAY = timedelta(hours=1)  # after a missing statement


class ReconciliationJob:
    """``at`` is in Nairobi; ``None``: only on request."""

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
        """Let the next scan reconcile every open day, whatever the time."""
        self._asked = True

    async def scan(self) -> datetime | None:
        """Runs once per business day, catching up after downtime; returns when it is due next."""
        now, asked = self._clock.now(), self._asked
        self._asked = False
        today = business_day(now)
        run = None if self._at is None else DailyRun.on_day_of(now, self._at)
        is_due = run is not None and run.is_due
        if asked or (is_due and not await is_done(self._database, JOB, today)):
            if not await self._reconcile_days(today):
                self._asked |= asked
                return now + RETRY_DELAY
            await self._database.write(lambda tx: mark_done(tx, JOB, today), Priority.JOBS)
        return None if run is None else run.next_due_at

    async def _reconcile_days(self, today: date) -> bool:
        """Whether the bank provided a statement for every day.

        A missing one is reported to admins, once a day, and does not delay the other days.
        """
        days = await self._database.read(partial(_days_to_reconcile, today))
        lines_by_day: dict[date, list[BankLine]] = {}
        for day in (*days, today):  # today's too: it may reverse a line of yesterday
            lines = await self.bank.lines(day)
            if isinstance(lines, NoAnswer):
                _log.warning("no statement", day=day.isoformat(), why=lines.why)
            else:
                lines_by_day[day] = [line for line in lines if line.day == day]
        missing = [day for day in days if day not in lines_by_day]
        for day in days:
            if day in lines_by_day:
                await self.day(day, "ncba", lines_by_day[day], lines_after(day, lines_by_day))
        if missing:
            note = partial(self._note_missing, today, missing)
            self._push(await self._database.write(note, Priority.JOBS))
        return not missing

    def _note_missing(self, today: date, days: Sequence[date], tx: Tx) -> list[OutboxRow]:
        for day in days:
            if tx.reconciliations.day(day) is None:  # makes it an open day
                tx.reconciliations.save_day(day, "ncba", has_ended=False)
        if not mark_done(tx, MISSING, today):
            return []
        return self._notifier.statement_missing(tx, days)

    async def day(
        self,
        day: date,
        source: str,
        lines: Sequence[BankLine],
        later: Sequence[BankLine] | None = None,
    ) -> ReconciliationDay:
        """Reconcile a day with its lines. Idempotent, also with more lines than before.

        ``later`` are the lines of later days, or ``None`` without a statement of any later day.
        """
        numbered = intake.with_peers(lines)
        starts = range(0, len(numbered), CHUNK)
        for start in (*starts, *starts):  # twice: a line may depend on another payment's line
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
        lines: Sequence[intake.LineWithPeers],
        later: Sequence[BankLine] | None,
        tx: Tx,
    ) -> list[OutboxRow]:
        return self._notices(tx, intake.record_lines(tx, self._random, source, lines, later))

    def _wait_over(self, day: date, tx: Tx) -> list[OutboxRow]:
        return self._notices(tx, intake.settle_deferred_debits(tx, self._random, day))

    def _notices(self, tx: Tx, effects: Sequence[LineEffect]) -> list[OutboxRow]:
        return [row for effect in effects for row in self._notifier.statement_line(tx, effect)]

    def _finish(self, day: date, source: str, tx: Tx) -> tuple[ReconciliationDay, list[OutboxRow]]:
        after, is_news = closing.close_day(tx, self._random, day, source)
        return after, self._notifier.day_reconciled(tx, after) if is_news else []


def lines_after(
    day: date, lines_by_day: Mapping[date, Sequence[BankLine]]
) -> Sequence[BankLine] | None:
    """The lines of later days; ``None`` without a statement of any later day."""
    later = [lines for other, lines in lines_by_day.items() if other > day]
    return [line for lines in later for line in lines] if later else None


def _days_to_reconcile(today: date, tx: Tx) -> list[date]:
    """Oldest first, because a later day may reverse an earlier line. Includes every day since the
    first one ever reconciled, even if the program was down for weeks."""
    recent = today - timedelta(days=RECENT_DAYS)
    oldest = tx.reconciliations.oldest_day()
    since = recent if oldest is None else min(oldest, recent)

    def is_due(day: date) -> bool:
        standing = tx.reconciliations.day(day)
        if standing is None:
            return day >= since
        return day >= recent or standing.closed_at is None

    days = (today - timedelta(days=back) for back in range(OPEN_DAYS_MAX, 0, -1))
    return [day for day in days if is_due(day)]
