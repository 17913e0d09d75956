"""When a daily job is due: in Nairobi time, once per business day, also after downtime."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from bot.jobs.daily import DailyRun, mark_done
from storage.stores.daily import DailyStore
from storage.transaction import StoreTx

AT = time(3, 0)  # in Nairobi, so 00:00 UTC
DUE = datetime(2026, 3, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "is_due", "latest", "upcoming"),
    [
        (DUE - timedelta(seconds=1), False, DUE - timedelta(days=1), DUE),
        (DUE, True, DUE, DUE + timedelta(days=1)),
        (DUE + timedelta(hours=20, minutes=59), True, DUE, DUE + timedelta(days=1)),
        (DUE + timedelta(hours=21), False, DUE, DUE + timedelta(days=1)),  # the next business day
    ],
)
def test_a_run_is_due_from_its_time_to_the_end_of_the_business_day(
    now: datetime, is_due: bool, latest: datetime, upcoming: datetime
) -> None:
    run = DailyRun.on_day_of(now, AT)
    assert (run.is_due, run.latest_due_at, run.next_due_at) == (is_due, latest, upcoming)


def test_what_is_done_once_a_day_is_done_again_the_next_day() -> None:
    conn = sqlite3.connect(":memory:")
    conn.execute("CREATE TABLE daily (job TEXT PRIMARY KEY, day TEXT NOT NULL)")
    tx = cast("StoreTx", SimpleNamespace(daily=DailyStore(conn)))
    days = [date(2026, 3, 10), date(2026, 3, 10), date(2026, 3, 11)]
    assert [mark_done(tx, "notice", day) for day in days] == [True, False, True]
    conn.close()
