"""The buttons that move the world's clock."""

from __future__ import annotations

import time

import pytest

from tests.browser.demo_page import DemoPage
from tests.browser.world_process import WorldProcess

SLACK_S = 60  # the clock goes on by itself while the test looks


@pytest.mark.parametrize(
    ("button", "seconds"), [("+30 s", 30), ("+3 min", 180), ("+1 day", 86_400)]
)
def test_a_button_moves_the_clock(
    demo: DemoPage, world: WorldProcess, button: str, seconds: int
) -> None:
    before = world.clock()
    demo.presses(button)
    demo.phone.says("/balance")
    demo.phone.reads("Wallet:")
    assert seconds <= (world.clock() - before).total_seconds() <= seconds + SLACK_S


def test_the_clock_moves_to_what_is_due_next(demo: DemoPage, world: WorldProcess) -> None:
    began, before = time.monotonic(), world.clock()
    demo.presses("Next due")
    demo.phone.says("/balance")
    demo.phone.reads("Wallet:")
    moved = (world.clock() - before).total_seconds()
    assert moved > time.monotonic() - began + 1
