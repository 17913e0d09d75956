"""Runs a job once per business day at a time in Nairobi, catching up after downtime.

A run whose time has passed stays due for the rest of that business day. Days that were missed
entirely are skipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from services.domain.business_days import NAIROBI, business_day
from services.ports import Tx
from services.ports.database import Database

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DailyRun:
    """The run of one business day; ``is_due`` from its time on."""

    day: date
    due_at: datetime
    is_due: bool

    @classmethod
    def on_day_of(cls, now: datetime, at: time) -> DailyRun:
        """The run of the business day of ``now``; ``at`` is in Nairobi."""
        day = business_day(now)
        due_at = datetime.combine(day, at, NAIROBI)
        return cls(day, due_at, now >= due_at)

    @property
    def latest_due_at(self) -> datetime:
        """When the latest run became due: today or yesterday."""
        return self.due_at if self.is_due else self.due_at - _DAY

    @property
    def next_due_at(self) -> datetime:
        """When the next run becomes due: today or tomorrow."""
        return self.latest_due_at + _DAY


async def is_done(database: Database, job: str, day: date) -> bool:
    return await database.read(lambda tx: tx.daily.last(job)) == day.isoformat()


def mark_done(tx: Tx, job: str, day: date) -> bool:
    """Mark it done; ``False`` if it already was, also by another process. Ask it before telling
    anybody what is told once a day."""
    return tx.daily.done(job, day.isoformat())
