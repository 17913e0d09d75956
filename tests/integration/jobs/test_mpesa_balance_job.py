"""When M-PESA is asked what its accounts have: in the morning after payouts, and for an admin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from bot.jobs.mpesa_balances import MpesaBalanceJob
from services.domain.bank import NoAnswer, Unknown
from services.domain.money import Money
from services.domain.mpesa_balance import UTILITY
from services.domain.payout_answers import Asked
from services.ports import Clock, PayoutRail
from services.ports.database import Database
from tests.kit.payout_payer import PayoutPayer, S, in_state
from tests.kit.plain_store import PlainStore, StoreDatabase

DAY = timedelta(days=1)
DUE = datetime(2026, 3, 3, 3, 30, tzinfo=UTC)  # 06:30 in Nairobi


class Rail:
    """The one question of ``PayoutRail`` that the job asks, counted."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: Asked | NoAnswer = Asked("AG_1")

    async def ask_balance(self) -> Asked | NoAnswer:
        self.asked += 1
        return self.answer


class Morning:
    """Tuesday 3 March 2026, the day after one payout."""

    def __init__(self, store: PlainStore) -> None:
        self.store, self.rail = store, Rail()
        self.restart()

    def now(self) -> datetime:
        return self.store.now

    def restart(self) -> None:
        database = cast("Database", StoreDatabase(self.store))
        self.job = MpesaBalanceJob(database, cast("Clock", self), cast("PayoutRail", self.rail))

    async def asks(self, at: datetime) -> int:
        """How often it asks in two scans at that time."""
        self.store.now = at
        before = self.rail.asked
        for _ in range(2):
            await self.job.scan()
        return self.rail.asked - before

    def is_told(self) -> None:
        self.store.do(lambda tx: tx.mpesa_balances.note(UTILITY, Money(1_00)))


@pytest.fixture
def morning(fresh_store: PlainStore) -> Morning:
    payer = PayoutPayer(fresh_store)
    payer.fund()
    payer.lift_the_limit_of_new_numbers()
    in_state(payer, S.ACCEPTED)
    return Morning(fresh_store)


async def test_it_asks_once_in_the_morning_after_a_payout(morning: Morning) -> None:
    assert await morning.asks(DUE - timedelta(seconds=1)) == 0
    assert await morning.asks(DUE) == 1
    assert await morning.asks(DUE + timedelta(hours=2)) == 0
    morning.restart()
    assert await morning.asks(DUE + timedelta(hours=3)) == 0


async def test_a_morning_after_downtime_is_caught_up_with(morning: Morning) -> None:
    assert await morning.asks(DUE + timedelta(hours=9)) == 1


async def test_while_nothing_is_paid_it_does_not_ask(morning: Morning) -> None:
    morning.store.now = DUE
    morning.is_told()
    assert await morning.asks(DUE + 2 * DAY) == 0
    assert await morning.asks(DUE + 3 * DAY) == 0


async def test_an_admin_is_answered_at_any_time_and_once(morning: Morning) -> None:
    morning.job.ask()
    assert await morning.asks(DUE - timedelta(hours=2)) == 1
    morning.job.ask()
    assert await morning.asks(DUE) == 1


async def test_without_an_answer_it_asks_again_the_next_day(morning: Morning) -> None:
    morning.rail.answer = Unknown("read timeout")
    assert await morning.asks(DUE) == 1
    assert await morning.asks(DUE + DAY) == 1


async def test_it_says_when_it_is_due_next(morning: Morning) -> None:
    morning.store.now = DUE + timedelta(hours=1)
    assert await morning.job.scan() == DUE + DAY
