"""Jobs that only the leader of several processes runs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.jobs.scheduler import JobScheduler
from bot.simulation.alarm import VirtualAlarm
from bot.simulation.clock import VirtualClock
from services.domain.database import leading
from tests.kit.virtual_time import advance


class Scans:
    def __init__(self) -> None:
        self.led: list[bool] = []
        self.asked = 0
        self.fails = False

    async def scan(self) -> None:
        self.led.append(leading.get())
        if self.fails:
            raise OSError("nothing answers")

    def ask(self) -> None:
        self.asked += 1


@pytest.fixture
def here() -> Scans:
    return Scans()


@pytest.fixture
def everywhere() -> Scans:
    return Scans()


@pytest.fixture
def jobs(clock: VirtualClock, here: Scans, everywhere: Scans) -> JobScheduler:
    jobs = JobScheduler(clock, VirtualAlarm(clock))
    jobs.add("once", here.scan, here.ask)
    jobs.add("each", everywhere.scan, everywhere=True)
    return jobs


async def test_who_does_not_lead_runs_what_runs_everywhere(
    clock: VirtualClock, jobs: JobScheduler, here: Scans, everywhere: Scans
) -> None:
    jobs.start(leads=False)
    jobs.wake("once", clock.now() + timedelta(seconds=1))
    await advance(clock, 5)
    assert (here.led, everywhere.led) == ([], [False])
    jobs.lead(True)
    await advance(clock, 5)
    assert (here.led, everywhere.led) == ([True], [False])
    jobs.lead(False)
    jobs.wake("once")
    await advance(clock, 5)
    assert here.led == [True]
    await jobs.stop()


async def test_what_is_asked_for_is_left_to_the_leader_until_this_process_leads(
    clock: VirtualClock, jobs: JobScheduler, here: Scans
) -> None:
    jobs.start(leads=False)
    await advance(clock, 5)
    jobs.ask("once")
    await jobs.run_now("once")
    assert jobs.left_to_leader == {"once": clock.now()}
    assert here.led == []
    jobs.lead(True)
    await advance(clock, 5)
    assert (here.asked, here.led, jobs.left_to_leader) == (1, [True], {})
    await jobs.stop()


async def test_who_leads_no_longer_fails_no_longer(
    clock: VirtualClock, jobs: JobScheduler, here: Scans
) -> None:
    here.fails = True
    jobs.start()
    await advance(clock, 11)
    assert jobs.states["once"].failures == 3
    assert jobs.states["once"].fails_again
    jobs.lead(False)
    state = jobs.states["once"]
    assert (state.failures, state.error, state.next_at) == (0, None, None)
    await advance(clock, 30)
    assert len(here.led) == 3
    assert jobs.stuck() == []
    await jobs.stop()
