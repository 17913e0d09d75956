"""Scanners of due rows are woken in time, run alone, and survive their own faults."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from bot.bootstrap import Dependencies, open_app
from bot.channels.terminal import TerminalChannel
from bot.clock import SystemClock
from bot.jobs.housekeeping import EVENTS_KEPT
from bot.jobs.scheduler import FAILED_AGAIN, JobScheduler, SchedulerAlarm
from bot.simulation.alarm import VirtualAlarm
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
from storage.transaction import SqliteTx
from tests.kit.virtual_time import advance, settle

PATIENCE_S = 20  # real seconds after which something that should happen at once has not
PHONE = Phone("254712345678")


class Scanner:
    """Runs as long as it is held, and returns what it is told to."""

    def __init__(self, clock: VirtualClock) -> None:
        self.times: list[datetime] = []
        self.due_in: timedelta | None = None
        self.faults = 0
        self.hold: asyncio.Event | None = None
        self.running = 0
        self.most_running = 0
        self.ended = 0
        self._clock = clock

    async def scan(self) -> datetime | None:
        self.times.append(self._clock.now())
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            if self.hold is not None:
                await self.hold.wait()
            if self.faults:
                self.faults -= 1
                raise ZeroDivisionError
        finally:
            self.running -= 1
        self.ended += 1
        return None if self.due_in is None else self._clock.now() + self.due_in


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


class Ringing:
    """An alarm that rings when a test says so, those included that were set anew since."""

    def __init__(self) -> None:
        self.set_so_far: list[Callable[[], None]] = []

    def start(self) -> None: ...

    def set(self, name: str, when: datetime, action: Callable[[], None]) -> None:
        self.set_so_far.append(action)

    def stop(self) -> None: ...


@pytest.fixture
def scanner(clock: VirtualClock) -> Scanner:
    return Scanner(clock)


@pytest.fixture
async def jobs(clock: VirtualClock, scanner: Scanner) -> AsyncIterator[JobScheduler]:
    jobs = JobScheduler(clock, VirtualAlarm(clock))
    jobs.add("scan", scanner.scan)
    yield jobs
    if scanner.hold is not None:
        scanner.hold.set()
    await jobs.stop()


# When a scanner runs


async def test_every_scanner_runs_once_at_the_start(clock: VirtualClock) -> None:
    jobs = JobScheduler(clock, VirtualAlarm(clock))
    scanners = {name: Scanner(clock) for name in ("b", "a")}
    for name, scanner in scanners.items():
        jobs.add(name, scanner.scan)
    assert jobs.names == ["a", "b"]
    jobs.start()
    await settle()
    assert [scanner.ended for scanner in scanners.values()] == [1, 1]


async def test_a_scanner_runs_when_it_asked_to_be_woken(
    clock: VirtualClock, jobs: JobScheduler, scanner: Scanner
) -> None:
    scanner.due_in = timedelta(seconds=10)
    start = clock.now()
    jobs.start()
    await advance(clock, 25)
    assert [(at - start).total_seconds() for at in scanner.times] == [0, 10, 20]


async def test_a_scanner_that_wants_nothing_rests(
    clock: VirtualClock, jobs: JobScheduler, scanner: Scanner
) -> None:
    jobs.start()
    await advance(clock, 86_400)
    assert len(scanner.times) == 1


async def test_an_earlier_wish_takes_the_place_of_the_later(
    clock: VirtualClock, jobs: JobScheduler, scanner: Scanner
) -> None:
    scanner.due_in = timedelta(seconds=60)
    start = clock.now()
    jobs.start()
    await advance(clock, 5)
    scanner.due_in = timedelta(seconds=10)
    jobs.wake("scan")
    await settle()
    scanner.due_in = None
    await advance(clock, 600)
    assert [(at - start).total_seconds() for at in scanner.times] == [0, 5, 15]


async def test_a_scanner_is_woken_at_the_earliest_moment_that_anybody_named(
    clock: VirtualClock, jobs: JobScheduler, scanner: Scanner
) -> None:
    start = clock.now()
    jobs.start()
    await settle()
    for seconds in (60, 20, 40):
        jobs.wake("scan", start + timedelta(seconds=seconds))
    assert jobs.states["scan"].next_at == start + timedelta(seconds=20)
    await advance(clock, 600)
    assert [(at - start).total_seconds() for at in scanner.times] == [0, 20]
    assert jobs.states["scan"].next_at is None


async def test_an_alarm_that_rings_although_it_was_replaced_does_no_harm(
    clock: VirtualClock, scanner: Scanner
) -> None:
    alarm = Ringing()
    jobs = JobScheduler(clock, alarm)
    jobs.add("scan", scanner.scan)
    jobs.start()
    await settle()
    for seconds in (60, 20):
        jobs.wake("scan", clock.now() + timedelta(seconds=seconds))
    for ring in alarm.set_so_far:
        ring()
        await settle()
    assert scanner.ended == 3


async def test_a_later_wish_leaves_the_earlier_alarm_which_rings_once_too_early(
    clock: VirtualClock, jobs: JobScheduler, scanner: Scanner
) -> None:
    scanner.due_in = timedelta(seconds=10)
    start = clock.now()
    jobs.start()
    await advance(clock, 5)
    scanner.due_in = timedelta(seconds=60)
    jobs.wake("scan")
    await advance(clock, 66)
    assert [(at - start).total_seconds() for at in scanner.times] == [0, 5, 10, 70]


async def test_a_scanner_that_was_woken_while_it_ran_runs_once_more(
    jobs: JobScheduler, scanner: Scanner
) -> None:
    scanner.hold = asyncio.Event()
    jobs.wake("scan")
    await settle()
    for _ in range(5):
        jobs.wake("scan")
    scanner.hold.set()
    await settle()
    assert scanner.ended == 2


async def test_runs_of_one_scanner_never_overlap(
    clock: VirtualClock, jobs: JobScheduler, scanner: Scanner
) -> None:
    scanner.due_in = timedelta(seconds=1)
    jobs.start()
    await settle()
    scanner.hold = asyncio.Event()
    await advance(clock, 1)
    jobs.wake("scan")
    running = asyncio.ensure_future(jobs.run_now("scan"))
    await advance(clock, 60)
    scanner.hold.set()
    await running
    assert scanner.most_running == 1


async def test_one_scanner_does_not_wait_for_another(
    clock: VirtualClock, jobs: JobScheduler, scanner: Scanner
) -> None:
    other = Scanner(clock)
    jobs.add("other", other.scan)
    scanner.hold = asyncio.Event()
    jobs.start()
    await settle()
    assert (scanner.ended, other.ended) == (0, 1)


async def test_run_now_returns_when_the_run_is_over(jobs: JobScheduler, scanner: Scanner) -> None:
    await jobs.run_now("scan")
    assert scanner.ended == 1


async def test_run_now_of_a_running_scanner_waits_for_a_whole_run_of_its_own(
    jobs: JobScheduler, scanner: Scanner
) -> None:
    scanner.hold = asyncio.Event()
    jobs.wake("scan")
    await settle()
    asked = asyncio.ensure_future(jobs.run_now("scan"))
    await settle()
    scanner.hold.set()
    await asked
    assert scanner.ended == 2


async def test_an_unknown_name_is_a_programmers_error(jobs: JobScheduler) -> None:
    with pytest.raises(KeyError):
        await jobs.run_now("nosuch")


# Faults


async def test_a_scan_that_raises_is_logged_and_tried_again(
    clock: VirtualClock, jobs: JobScheduler, scanner: Scanner
) -> None:
    scanner.faults = 2
    start = clock.now()
    with capture_logs() as logs:
        jobs.start()
        await advance(clock, 60)
    again = FAILED_AGAIN.total_seconds()
    assert [(at - start).total_seconds() for at in scanner.times] == [0, again, 2 * again]
    assert [log["job"] for log in logs] == ["scan", "scan"]


# The end


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


# The real scheduler


@pytest.fixture
async def alarm() -> AsyncIterator[SchedulerAlarm]:
    alarm = SchedulerAlarm()
    alarm.start()
    yield alarm
    alarm.stop()


async def happens(event: asyncio.Event) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await event.wait()


async def test_what_is_late_rings_all_the_same(alarm: SchedulerAlarm) -> None:
    """APScheduler's default drops what is a second late."""
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
    """The whole program on the machine's own clock: nothing here is virtual but the bank."""
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


def _seen(reference: str, tx: SqliteTx) -> tuple[TopUpState, Money, int]:
    """The top-up's state, the wallet, and how many old events are left."""
    topup = tx.topups.get(reference)
    assert topup is not None
    balance = tx.ledger.balance(Account("FINSAFE", AccountKind.WALLET))
    events = int(tx.conn.execute("SELECT count(*) FROM events").fetchone()[0])
    return topup.state, balance.posted, events


async def _with_an_open_prompt(path: Path, bank_id: str) -> str:
    """A top-up whose bank is to be asked a moment after the start, and an old event."""
    dates = [datetime.now(UTC) - EVENTS_KEPT - timedelta(days=1)]
    database = await Database.open(path, lambda: dates[0])

    def seed(tx: SqliteTx) -> None:
        partners.add(tx, Partner("FINSAFE"))
        amina = tx.people.add_person("FINSAFE", "amina", Role.OWNER, PHONE, None, "en")
        tx.people.link("terminal", "77", amina)
        tx.sessions.mark_handled("terminal", "old")

    def begin(tx: SqliteTx) -> str:
        person = tx.people.at("terminal", "77")
        assert person is not None
        draw = random.Random(2)
        amount = Money(1_500_00)
        topup = topups.start(tx, draw, person, "terminal", "77", "1", amount, PHONE)  # type: ignore[arg-type]
        assert isinstance(topup, TopUp)
        tx.conn.execute("UPDATE wallet_transactions SET state = 'PENDING', due_at = due_at + 300")
        tx.conn.execute(
            "UPDATE ncb_stk_push_logs SET bank_id = ?, sent_at = ?", (bank_id, to_ms(tx.now))
        )
        return topup.reference

    await database.write(seed)
    dates[0] = datetime.now(UTC)
    reference = await database.write(begin)
    await database.close()
    return reference
