"""Short storms with every test run; the long ones are `make storm`."""

from __future__ import annotations

import asyncio

import pytest

from bot.storm.points import JOURNEYS, kill_everywhere
from bot.storm.story import Violation, tell
from tests.storm.mistakes import MISTAKES, Mistake

HOURS, PARTNERS = 6, 3  # of the standard seeds: every mistake is seen within them
SEEDS = range(1, 25)
ALWAYS = ("prompt", "float")  # journeys whose crash points are tried with every test run


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_day_with_every_fault_breaks_nothing(seed: int) -> None:
    tally = asyncio.run(tell(seed, hours=24, partners=2))
    assert tally.operations > 20
    assert tally.faults["crash"] > 0


def test_a_seed_always_tells_the_same_story() -> None:
    first, again = (asyncio.run(tell(5, hours=3, partners=2)) for _ in range(2))
    assert first == again


@pytest.mark.parametrize("journey", ALWAYS)
def test_a_kill_at_any_point_loses_nothing(journey: str) -> None:
    points, bad = asyncio.run(kill_everywhere(journey))
    assert points > 20
    assert bad == []


@pytest.mark.long
@pytest.mark.parametrize("journey", [name for name in JOURNEYS if name not in ALWAYS])
def test_a_kill_at_any_point_of_the_other_journeys_loses_nothing(journey: str) -> None:
    points, bad = asyncio.run(kill_everywhere(journey))
    assert points > 10
    assert bad == []


def _tell_all() -> None:
    for seed in SEEDS:
        asyncio.run(tell(seed, HOURS, PARTNERS))


@pytest.mark.long
@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake.name for mistake in MISTAKES])
def test_a_mistake_is_caught(mistake: Mistake) -> None:
    with mistake.make(), pytest.raises(Violation) as caught:
        _tell_all()
    assert caught.value.broken[0].invariant in mistake.caught_by


def test_there_are_many_mistakes_and_each_has_a_name() -> None:
    names = [mistake.name for mistake in MISTAKES]
    assert len(set(names)) == len(names) >= 25
