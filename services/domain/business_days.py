"""Business days in Africa/Nairobi, whatever the machine's time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

NAIROBI = ZoneInfo("Africa/Nairobi")


def time_of_day(moment: datetime) -> time:
    """In Nairobi, for what ends within minutes: a date would say nothing."""
    return moment.astimezone(NAIROBI).time()


def business_day(moment: datetime) -> date:
    """The date in Nairobi at ``moment`` (aware)."""
    return moment.astimezone(NAIROBI).date()


def is_of_this_century(day: date) -> bool:
    """Whether a record of ours can have this date; any other is a typing error."""
    return 2000 <= day.year < 2100


def start_of_day_at(moment: datetime) -> datetime:
    """When the business day of ``moment`` began, in UTC."""
    return start_of_day(business_day(moment))


def start_of_day(day: date) -> datetime:
    """The first moment of a business day, in UTC."""
    return datetime.combine(day, time(), NAIROBI).astimezone(UTC)
