"""Jobs over all processes of one database, as each tells the others of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import cast

import pytest

from bot.jobs.process_report import JobsOfAllProcesses
from bot.jobs.scheduler import JobScheduler
from bot.observe.job_state import JobState
from bot.simulation.alarm import VirtualAlarm
from bot.simulation.clock import VirtualClock
from services.domain.database import OtherProcess
from services.ports.database import Database
from tests.kit.virtual_time import advance


class Shared:
    """What one process knows of the database."""

    def __init__(self) -> None:
        self.waiting = 0
        self.leads = False
        self.others: Sequence[OtherProcess] = ()


class Process:
    def __init__(self, clock: VirtualClock, name: str) -> None:
        self.name = name
        self.database = Shared()
        self.jobs = JobScheduler(clock, VirtualAlarm(clock))
        self.runs: list[str] = []
        self.all = JobsOfAllProcesses(self.jobs, cast("Database", self.database))

        async def scan() -> None:
            self.runs.append(name)

        self.jobs.add("digest", scan)
        self.jobs.add("topups", scan, everywhere=True)

    def hears(self, other: Process) -> None:
        said = OtherProcess(other.name, other.database.leads, other.all.report())
        self.database.others = [said]


@pytest.fixture
async def leader(clock: VirtualClock) -> Process:
    process = Process(clock, "leader")
    process.database.leads = True
    process.jobs.start()
    return process


@pytest.fixture
async def follower(clock: VirtualClock) -> Process:
    process = Process(clock, "follower")
    process.jobs.start(leads=False)
    return process


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


async def test_a_follower_shows_the_jobs_of_the_leader_and_both_runs_of_each(
    clock: VirtualClock, leader: Process, follower: Process
) -> None:
    await advance(clock, 1)
    follower.database.waiting, leader.database.waiting = 2, 3
    ran_at = leader.jobs.states["digest"].ran_at
    assert ran_at is not None
    leader.jobs.states["digest"].failures = 3
    leader.jobs.states["topups"].next_at = ran_at + timedelta(minutes=1)
    follower.jobs.states["topups"].next_at = ran_at + timedelta(minutes=2)
    follower.hears(leader)
    states = follower.all.states
    assert states["digest"] == leader.jobs.states["digest"]
    assert states["topups"].runs == 2
    assert states["topups"].next_at == ran_at + timedelta(minutes=1)
    assert follower.all.waiting == 5
    assert follower.jobs.states["digest"].runs == 0  # what it says of itself is its own


async def test_what_is_stuck_anywhere_is_stuck(
    clock: VirtualClock, leader: Process, follower: Process
) -> None:
    hold = asyncio.Event()

    async def never_ends() -> None:
        await hold.wait()

    leader.jobs.add("stats", never_ends)
    leader.jobs.wake("stats")
    await advance(clock, 61)
    follower.hears(leader)
    assert follower.all.stuck() == ["stats"]
    hold.set()
    await advance(clock, 1)
    follower.hears(leader)
    assert follower.all.stuck() == []


async def test_the_leader_takes_up_once_what_is_asked_of_a_follower(
    clock: VirtualClock, leader: Process, follower: Process
) -> None:
    await advance(clock, 10)
    runs = leader.jobs.states["digest"].runs
    follower.all.ask("digest")
    for _ in range(3):
        await advance(clock, 1)
        leader.hears(follower)
        leader.all.take_up()
    await advance(clock, 1)
    assert leader.jobs.states["digest"].runs == runs + 1
    assert follower.jobs.states["digest"].runs == 0


async def test_a_follower_takes_nothing_up(
    clock: VirtualClock, leader: Process, follower: Process
) -> None:
    await advance(clock, 10)
    other = Process(clock, "other")
    other.jobs.start(leads=False)
    await advance(clock, 1)
    other.all.ask("digest")
    follower.hears(other)
    follower.all.take_up()
    await advance(clock, 1)
    assert follower.jobs.states["digest"].runs == 0
    assert "digest" not in follower.jobs.left_to_leader


@pytest.mark.parametrize("said", ["", "{}", '{"jobs": "many"}', "nonsense", "null"])
async def test_what_another_version_says_is_passed_over(
    clock: VirtualClock, follower: Process, said: str
) -> None:
    await advance(clock, 1)
    follower.database.leads = True
    follower.database.others = [OtherProcess("other", False, said)]
    follower.all.take_up()
    assert follower.all.states == follower.jobs.states
    assert follower.all.waiting == 0
    assert follower.all.stuck() == []


async def test_a_job_of_another_version_is_shown_and_not_run(
    clock: VirtualClock, leader: Process, follower: Process
) -> None:
    await advance(clock, 1)
    newer = Process(clock, "newer")
    newer.jobs.states["of the next version"] = JobState("of the next version", runs=7)
    newer.jobs.left_to_leader["of the next version"] = clock.now()
    leader.hears(newer)
    leader.all.take_up()
    assert leader.all.states["of the next version"].runs == 7
