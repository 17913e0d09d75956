"""Fixtures for the tests in this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.jobs.scheduler import JobScheduler, SchedulerAlarm
from bot.simulation.alarm import VirtualAlarm
from bot.simulation.clock import VirtualClock
from tests.kit.scanners import Scanner


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


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


@pytest.fixture
async def alarm() -> AsyncIterator[SchedulerAlarm]:
    alarm = SchedulerAlarm()
    alarm.start()
    yield alarm
    alarm.stop()
