"""Stopping the scheduler, and waking scanners in real time."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from bot.bootstrap import Dependencies, open_app
from bot.channels.terminal import TerminalChannel
from bot.clock import SystemClock
from bot.jobs.housekeeping import EVENTS_KEPT
from bot.jobs.scheduler import JobScheduler, SchedulerAlarm
from bot.simulation.clock import VirtualClock
from bot.simulation.ncba.bank import SimulatedBank
from bot.simulation.ncba.prompts import PromptState
from bot.simulation.settings import SimulatedSettings
from services import partners, topups
from services.domain.ledger import Account, AccountKind
from services.domain.money import Money
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.domain.topup import TopUp, TopUpState
from storage.sqlite.database import Database
from storage.time.milliseconds import to_ms
from storage.transaction import StoreTx
from tests.kit.scanners import Scanner
from tests.kit.virtual_time import advance, settle

PATIENCE_S = 20  # real seconds to wait for something that should happen at once
PHONE = Phone("254712345678")


# Stopping


async def test_a_stop_waits_for_the_scan_in_hand(jobs: JobScheduler, scanner: Scanner) -> None:
    scanner.hold = asyncio.Event()
    jobs.start()
    await settle()
    stopping = asyncio.ensure_future(jobs.stop())
    await settle()
    assert not stopping.done()
    scanner.hold.set()
    await stopping
    assert scanner.ended == 1


async def test_after_a_stop_nothing_runs(
    clock: VirtualClock, jobs: JobScheduler, scanner: Scanner
) -> None:
    scanner.due_in = timedelta(seconds=1)
    jobs.start()
    await settle()
    await jobs.stop()
    jobs.wake("scan")
    await jobs.run_now("scan")
    await advance(clock, 60)
    assert scanner.ended == 1


async def test_a_scan_that_was_woken_before_the_stop_is_not_run_again(
    jobs: JobScheduler, scanner: Scanner
) -> None:
    scanner.hold = asyncio.Event()
    jobs.start()
    await settle()
    jobs.wake("scan")
    stopping = asyncio.ensure_future(jobs.stop())
    await settle()
    scanner.hold.set()
    await stopping
    assert scanner.ended == 1


async def test_a_kill_waits_for_nothing(jobs: JobScheduler, scanner: Scanner) -> None:
    scanner.hold = asyncio.Event()
    jobs.start()
    await settle()
    jobs.abort()
    await settle()
    assert (scanner.running, scanner.ended) == (0, 0)


async def happens(event: asyncio.Event) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await event.wait()


async def test_what_is_late_rings_all_the_same(alarm: SchedulerAlarm) -> None:
    """By default, APScheduler drops a job that is a second late."""
    rang = asyncio.Event()
    alarm.set("scan", -timedelta(hours=5), rang.set)
    await happens(rang)


async def test_an_alarm_set_again_rings_at_the_new_moment(alarm: SchedulerAlarm) -> None:
    early, late = asyncio.Event(), asyncio.Event()
    alarm.set("scan", timedelta(seconds=0.05), early.set)
    alarm.set("scan", timedelta(seconds=0.1), late.set)
    await happens(late)
    assert not early.is_set()


async def test_alarms_of_two_names_both_ring(alarm: SchedulerAlarm) -> None:
    first, second = asyncio.Event(), asyncio.Event()
    for name, event in (("first", first), ("second", second)):
        alarm.set(name, timedelta(0), event.set)
    await happens(first)
    await happens(second)


async def test_an_alarm_rings_in_a_zone_that_nobody_knows(
    alarm: SchedulerAlarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Mars/Phobos")
    monkeypatch.setattr("tzlocal.unix._cache_tz", None)
    rang = asyncio.Event()
    alarm.set("scan", timedelta(0), rang.set)
    await happens(rang)


async def test_a_stopped_alarm_may_be_stopped_again(alarm: SchedulerAlarm) -> None:
    alarm.stop()
    await settle()
    alarm.stop()


async def test_a_scanner_is_woken_by_the_real_scheduler() -> None:
    clock = SystemClock()
    runs: asyncio.Queue[None] = asyncio.Queue()

    async def scan() -> datetime | None:
        runs.put_nowait(None)
        return clock.now() + timedelta(seconds=0.02)

    jobs = JobScheduler(clock, SchedulerAlarm())
    jobs.add("scan", scan)
    jobs.start()
    try:
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(3):
                await runs.get()
    finally:
        await jobs.stop()


async def test_the_real_scheduler_polls_cleans_up_and_stops(tmp_path: Path) -> None:
    """The whole program on the machine's own clock; only the bank is simulated."""
    clock = SystemClock()
    bank = SimulatedBank(clock, random.Random(1), password="right")
    prompt = bank.prompts.send(PHONE.msisdn, 1500, "774451#TU222222")
    bank.prompts.end(prompt, PromptState.PAID)
    path = tmp_path / "hazina.db"
    reference = await _with_an_open_prompt(path, prompt.transaction_id)
    told = asyncio.Event()
    settings = SimulatedSettings(
        database=path,
        ncba_base_url="http://bank.simulated",
        ncba_username="hazina",
        ncba_password=SecretStr("right"),
        ncba_account_number="774451",
    )
    dependencies = Dependencies(
        bank=httpx.AsyncClient(transport=httpx.ASGITransport(bank)),
        channels={"terminal": TerminalChannel()},
        delivered=lambda row, message_id, edited: told.set(),
    )
    before = asyncio.all_tasks()
    async with AsyncExitStack() as stack:
        app = await open_app(settings, dependencies, stack)
        await app.start()
        try:
            await happens(told)
        finally:
            await app.stop(grace_s=PATIENCE_S)
        seen = await app.database.read(partial(_seen, reference))
    await settle()
    assert bank.calls("query") == 1
    assert seen == (TopUpState.PAID, Money(1_500_00), 0)
    assert asyncio.all_tasks() == before


def _seen(reference: str, tx: StoreTx) -> tuple[TopUpState, Money, int]:
    """Return the top-up's state, the wallet balance and the number of old events left."""
    topup = tx.topups.get(reference)
    assert topup is not None
    balance = tx.ledger.balance(Account("FINSAFE", AccountKind.WALLET))
    events = int(tx.conn.execute("SELECT count(*) FROM events").fetchone()[0])
    return topup.state, balance.posted, events


async def _with_an_open_prompt(path: Path, bank_id: str) -> str:
    """Store an old event and a top-up that is due for a bank query just after the start."""
    dates = [datetime.now(UTC) - EVENTS_KEPT - timedelta(days=1)]
    database = await Database.open(path, lambda: dates[0])

    def seed(tx: StoreTx) -> None:
        partners.add(tx, Partner("FINSAFE"))
        amina = tx.people.add_person("FINSAFE", "amina", Role.OWNER, PHONE, None, "en")
        tx.people.link("terminal", "77", amina)
        tx.sessions.mark_handled("terminal", "old")

    def begin(tx: StoreTx) -> str:
        person = tx.people.at("terminal", "77")
        assert person is not None
        draw = random.Random(2)
        amount = Money(1_500_00)
        topup = topups.start(tx, draw, person, "terminal", "77", "1", amount, PHONE)  # type: ignore[arg-type]
        assert isinstance(topup, TopUp)
        tx.conn.execute(
            "UPDATE wallet_transactions SET state = 'PENDING', standing = 'accepted',"
            " due_at = due_at + 300"
        )
        tx.conn.execute(
            "UPDATE ncb_stk_push_logs SET bank_id = ?, sent_at = ?", (bank_id, to_ms(tx.now))
        )
        return topup.reference

    await database.write(seed)
    dates[0] = datetime.now(UTC)
    reference = await database.write(begin)
    await database.close()
    return reference
