"""Asks M-PESA what the short code's accounts have; the answer comes as a Result."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from bot.jobs.daily import DailyRun, is_done, mark_done
from services import payout_settlement
from services.domain.business_days import start_of_day
from services.domain.database import Priority
from services.domain.mpesa_balance import UTILITY
from services.ports import Clock, PayoutRail, Tx
from services.ports.database import Database

AT = time(6, 30)  # in Nairobi: before the day's payouts
JOB = "mpesa_balances"
_DAY = timedelta(days=1)
_EPOCH = datetime.fromtimestamp(0, UTC)


class MpesaBalanceJob:
    """The Result of each payment says what is left, too. This asks each morning after payouts, and
    when an admin wants to know."""

    def __init__(self, database: Database, clock: Clock, rail: PayoutRail) -> None:
        self._database = database
        self._clock = clock
        self._rail = rail
        self._asked = False

    def ask(self) -> None:
        """Let the next scan ask, whatever the time."""
        self._asked = True

    async def scan(self) -> datetime | None:
        """Runs once per business day, catching up after downtime, while payouts are made; returns
        when it is due next."""
        run = DailyRun.on_day_of(self._clock.now(), AT)
        asked, self._asked = self._asked, False
        if run.is_due and not await is_done(self._database, JOB, run.day):
            asked |= await self._database.write(
                lambda tx: mark_done(tx, JOB, run.day) and _is_worth_asking(tx, run.day),
                Priority.JOBS,
            )
        if asked and not await self._database.read(payout_settlement.may_ask_nothing):
            await self._rail.ask_balance()  # logged there; without an answer the old one stays
        return run.next_due_at


def _is_worth_asking(tx: Tx, day: date) -> bool:
    """Whether payouts were sent since the day before began, or since M-PESA last said what is
    left, if that is longer ago."""
    yesterday = start_of_day(day - _DAY)
    told = tx.mpesa_balances.get(UTILITY)
    since = _EPOCH if told is None else min(told.told_at, yesterday)
    return tx.payouts.submitted_since(since)
