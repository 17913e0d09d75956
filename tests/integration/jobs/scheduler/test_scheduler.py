"""When a scanner runs, and what happens when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from bot.jobs.scheduler import FAILED_AGAIN, JobScheduler
from bot.simulation.alarm import VirtualAlarm
from bot.simulation.clock import VirtualClock
from services.domain.database import DatabaseUnavailable
from tests.kit.scanners import Scanner
from tests.kit.virtual_time import advance, settle


class Ringing:
    """An alarm that a test rings by hand; alarms that were replaced can still ring."""

    def __init__(self) -> None:
        self.set_so_far: list[Callable[[], None]] = []

    def start(self) -> None: ...

    def set(self, name: str, when: datetime, action: Callable[[], None]) -> None:
        self.set_so_far.append(action)

    def stop(self) -> None: ...


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
    assert [log["log_level"] for log in logs] == ["error", "error"]


async def test_a_scan_that_misses_the_database_is_no_error(
    clock: VirtualClock, jobs: JobScheduler, scanner: Scanner
) -> None:
    """A failover is not a fault of the program, so its log has no traceback."""
    scanner.faults, scanner.fault = 1, DatabaseUnavailable("no node leads")
    start = clock.now()
    with capture_logs() as logs:
        jobs.start()
        await advance(clock, 60)
    assert [(at - start) for at in scanner.times] == [timedelta(), FAILED_AGAIN]
    assert logs == [
        {
            "event": "scan waits for the database",
            "log_level": "warning",
            "job": "scan",
            "why": "no node leads",
        }
    ]


async def test_whoever_gives_up_waiting_for_a_scan_leaves_it_running(
    clock: VirtualClock, jobs: JobScheduler, scanner: Scanner
) -> None:
    """The scan is everybody's: it may have claimed work that only it goes on with."""
    scanner.hold, scanner.due_in = asyncio.Event(), timedelta(seconds=10)
    jobs.start()
    await settle()
    patient, hasty = (asyncio.create_task(jobs.run_now("scan")) for _ in range(2))
    await settle()
    hasty.cancel()
    await settle()
    assert (hasty.cancelled(), patient.done(), scanner.running) == (True, False, 1)
    scanner.hold.set()
    await patient
    assert jobs.states["scan"].next_at is not None
    ran = len(scanner.times)
    await advance(clock, 10)
    assert len(scanner.times) == ran + 1
