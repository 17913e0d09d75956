"""A world's clock that runs with the real one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.simulation.real_time import RealTime
from bot.simulation.world import World


class Stopwatch:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


async def test_what_falls_due_in_real_time_is_done_and_skipped_time_does_not_pass(
    tmp_path: Path,
) -> None:
    world, watch = World(tmp_path), Stopwatch()
    await world.open()
    began = world.clock.true_now()
    rung: list[float] = []
    for seconds in (5, 6):
        due = began + timedelta(seconds=seconds)
        world.clock.call_at(due, lambda seconds=seconds: rung.append(seconds))  # type: ignore[misc]
    real_time = RealTime(world, watch)
    watch.seconds += 5.5
    await real_time.follow()
    assert rung == [5]
    watch.seconds += 60
    real_time.skip()
    await real_time.follow()
    assert rung == [5]
    assert (world.clock.true_now() - began).total_seconds() == pytest.approx(5.5)
    await world.close()


async def test_in_steps_only_whole_ones_pass_and_no_time_is_lost(tmp_path: Path) -> None:
    world, watch = World(tmp_path), Stopwatch()
    await world.open()
    began = world.clock.true_now()
    real_time = RealTime(world, watch, step_s=1.0)
    passed = []
    for _ in range(5):
        watch.seconds += 0.7
        passed.append(await real_time.follow())
    assert passed == [0.0, 1.0, 1.0, 0.0, 1.0]
    assert (world.clock.true_now() - began).total_seconds() == 3
    await world.close()
