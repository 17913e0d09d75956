"""The simulated world: what a crash leaves, and what it must not."""

from pathlib import Path
from typing import Literal

import pytest

from bot.simulator.quiet_log import whole_log
from bot.simulator.world import World
from bot.terminal import typed


@pytest.mark.parametrize("point", ["commit", "after-commit"])
async def test_a_crash_on_the_writers_thread_is_no_fault_of_the_database(
    tmp_path: Path, point: Literal["commit", "after-commit"]
) -> None:
    lines: list[str] = []
    with whole_log(lines.append):
        world = World(tmp_path)
        await world.open()
        await world.settle()
        world.arm_crash(point, None, 1)
        world.submit(typed("p1", "p1-1", "/menu"))
        await world.settle()
        assert world.lives == 1
        await world.close()
    assert [line for line in lines if '"level": "error"' in line] == []
