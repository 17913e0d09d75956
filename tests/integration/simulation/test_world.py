"""The simulated world after a crash: committed data remains, and no error is logged."""

from contextlib import closing
from pathlib import Path
from typing import Literal

import pytest

from bot.channels.terminal import event_from_line
from bot.simulation.log_capture import full_log
from bot.simulation.world import World
from storage.sqlite.simulated import in_memory
from storage.transaction import StoreTx


@pytest.mark.parametrize("point", ["commit", "after-commit"])
async def test_a_crash_on_the_writers_thread_is_no_fault_of_the_database(
    tmp_path: Path, point: Literal["commit", "after-commit"]
) -> None:
    lines: list[str] = []
    with full_log(lines.append):
        world = World(tmp_path)
        await world.open()
        await world.settle()
        world.arm_crash(point, None, 1)
        world.submit(event_from_line("p1", "p1-1", "/menu"))
        await world.settle()
        assert world.crash_count == 1
        await world.close()
    assert [line for line in lines if '"level": "error"' in line] == []


async def test_a_world_in_memory_goes_on_after_a_crash_with_what_was_committed() -> None:
    def decided(tx: StoreTx) -> list[str]:
        return [row[0] for row in tx.conn.execute("SELECT event_id FROM events ORDER BY event_id")]

    with closing(in_memory()) as memory:
        world = World(memory, threads=False)
        await world.open()
        for n in (1, 2):
            if n == 2:
                world.arm_crash("commit", None, 1)
            world.submit(event_from_line("p1", f"p1-{n}", "/menu"))
            await world.settle()
        assert world.crash_count == 1
        assert await world.app.database.read(decided) == ["p1-1", "p1-2"]
        await world.close()
