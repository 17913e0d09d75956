"""Short storms for every test run; the long ones are `make storm`."""

from __future__ import annotations

import asyncio
import pickle
import random
import re
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from click.testing import CliRunner

from bot.cli.storm import storm
from bot.storm.broken_invariant import BrokenInvariant
from bot.storm.crash_points import JOURNEYS, crash_at_every_point
from bot.storm.people import Actor
from bot.storm.storm_run import StormRun, run
from bot.storm.story import Violation
from services.domain.message import Mail
from services.ports.simulated_databases import SimulatedDatabase
from storage.sqlite.simulated import in_memory
from tests.kit.on_server import test_server
from tests.kit.open_databases import simulated_database
from tests.kit.storm_outcome import Outcome, difference, play
from tests.storm.mistake import Mistake
from tests.storm.mistakes import MISTAKES

HOURS, PARTNERS = 6, 3  # of the standard seeds, enough to detect every mistake
SEEDS = range(1, 41)
# Journeys whose crash points are tried in every test run.
ALWAYS = ("prompt", "float", "payout")


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in (2, 4))]
)
def test_a_day_with_every_fault_breaks_nothing(seed: int) -> None:
    tally = asyncio.run(run(seed, hours=24, partners=2, server=test_server()))
    assert tally.operations > 20
    assert tally.calls > 100
    assert tally.hops > 1_000
    assert tally.faults["payee"] > 100
    assert tally.faults["crash"] > 0


def told(database: SimulatedDatabase) -> Outcome:
    with closing(database):
        return asyncio.run(play(database, 1, hours=3, partners=3))


def test_a_seed_always_tells_the_same_story() -> None:
    assert difference(told(simulated_database()), told(simulated_database())) == ""


@pytest.mark.sqlite_only("asks SQLite for rows in another order")
def test_no_story_hangs_on_the_order_of_rows_that_no_statement_orders() -> None:
    backwards = in_memory()
    backwards.conn.execute("PRAGMA reverse_unordered_selects = ON")
    assert difference(told(in_memory()), told(backwards)) == ""


def test_worlds_of_several_processes_are_the_same() -> None:
    server = test_server()
    where = [] if server is None else ["--database", server.dsn]
    alone, together = (
        CliRunner().invoke(storm, ["--seeds", "11..13", "--hours", "1", "--jobs", jobs, *where])
        for jobs in ("1", "2")
    )
    assert alone.exit_code == together.exit_code == 0
    lines = [output.stdout.splitlines() for output in (alone, together)]
    assert [line for line in lines[0] if "turns/s" not in line] == [
        line for line in lines[1] if "turns/s" not in line
    ]
    assert len(lines[0]) == 5


def test_a_violation_comes_whole_from_another_process() -> None:
    violation = Violation(7, 3, [BrokenInvariant("ledger", "does not add up")], ["it rained"])
    again = pickle.loads(pickle.dumps(violation))
    assert (again.seed, again.step) == (7, 3)
    assert (again.broken, again.story) == (violation.broken, violation.story)
    assert str(again) == "seed 7, step 3: ledger: does not add up"


def test_whoever_has_mail_reads_codes_there(world_database: SimulatedDatabase) -> None:
    """Regression: a guess equal to a code sent only by mail was counted as an unsent code."""
    story = StormRun(1, 1, 1, world_database)
    asyncio.run(story.world.mail.send(Mail("p1@storm.example", "Code", "Your code is 271828.")))
    actor = Actor("100001", "254710000001", mail="p1@storm.example")
    assert story.read(actor) == ["Your code is 271828."]
    for seed in range(200):
        actor.recent_texts = ["A six-digit code is on its way."]
        event = actor.act(random.Random(seed), story.read)
        assert actor.guessed == bool(re.fullmatch("(?!271828)[0-9]{6}", event.text))


async def test_what_is_due_after_a_crash_is_not_the_repeated_events_doing(
    world_database: SimulatedDatabase,
) -> None:
    story = StormRun(6, 24, 1, world_database)
    await story.begin()
    owner, events = story.actors["p0"], []
    for words in ("/float", "1500"):
        events.append(owner.say(words))
        story.world.submit(events[-1])
        await story.world.settle()
    clock = story.world.clock
    # The quote is stale, so the restarted program drops it
    clock.jump(clock.true_now() + timedelta(hours=1))
    story.world.arm_crash("after-commit", None, 1)
    await story.repeat(events)
    assert story.world.crash_count == 1
    states = await story.world.app.database.read(
        lambda tx: [purchase.state.value for purchase in tx.purchases.every()]
    )
    assert states == ["CANCELLED"]
    await story.world.close()


@pytest.mark.sqlite_only("reads SQLite's table of statements")
def test_no_statement_is_prepared_twice() -> None:
    """Not even after a crash, or for a value for which SQLite might use another index."""
    with closing(in_memory()) as memory:
        story = StormRun(1, 6, 2, memory)
        asyncio.run(story.run())
        assert story.world.crash_count > 0
        try:
            again = memory.conn.execute("SELECT sql FROM sqlite_stmt WHERE reprep > 0").fetchall()
        except sqlite3.OperationalError:
            pytest.skip("SQLite was built without its table of statements")
    assert again == []


@pytest.mark.parametrize("journey", ALWAYS)
def test_a_kill_at_any_point_loses_nothing(journey: str) -> None:
    points, bad = asyncio.run(crash_at_every_point(journey, test_server()))
    assert points > 20
    assert bad == []


@pytest.mark.long
@pytest.mark.parametrize("journey", [name for name in JOURNEYS if name not in ALWAYS])
def test_a_kill_at_any_point_of_the_other_journeys_loses_nothing(journey: str) -> None:
    points, bad = asyncio.run(crash_at_every_point(journey, test_server()))
    assert points > 10
    assert bad == []


def _tell_all() -> None:
    for seed in SEEDS:
        asyncio.run(run(seed, HOURS, PARTNERS, test_server()))


@pytest.mark.long
@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake.name for mistake in MISTAKES])
def test_a_mistake_is_caught(mistake: Mistake) -> None:
    with mistake.make(), pytest.raises(Violation) as caught:
        _tell_all()
    assert caught.value.broken[0].invariant in mistake.caught_by


@pytest.mark.long
@pytest.mark.sqlite_only("looks into SQLite's log")
def test_a_kill_point_sees_codes_in_clear() -> None:
    """The write-ahead log keeps wiped data for a while."""
    (mistake,) = (mistake for mistake in MISTAKES if mistake.name == "keep codes in clear")
    with mistake.make():
        _, bad = asyncio.run(crash_at_every_point("float"))
    assert "secrets" in {problem.invariant for killed in bad for problem in killed.broken}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_finds_what_it_replaces(mistake: Mistake) -> None:
    with mistake.make():
        pass


def test_there_are_many_mistakes_and_each_has_a_name() -> None:
    names = [mistake.name for mistake in MISTAKES]
    assert len(set(names)) == len(names) >= 40
