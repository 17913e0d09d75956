"""No minute holds more calls than its limit, whenever it begins."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.rate_limits.sliding_window import WINDOW_S, SlidingWindows


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_over_the_limit_the_wait_is_told_and_enough() -> None:
    clock = Clock()
    windows = SlidingWindows({"moves": 2}, clock)
    assert [windows.take("moves", "DUKA").remaining for _ in range(2)] == [1, 0]
    clock.now += 10
    over = windows.take("moves", "DUKA")
    assert (over.allowed, over.remaining, over.again_in_s) == (False, 0, 50)
    clock.now += over.again_in_s
    assert windows.take("moves", "DUKA").allowed


def test_partners_and_names_are_counted_apart() -> None:
    windows = SlidingWindows({"moves": 1, "reads": 1}, Clock())
    assert windows.take("moves", "DUKA").allowed
    assert windows.take("reads", "DUKA").allowed
    assert windows.take("moves", "SOKO").allowed
    assert not windows.take("moves", "DUKA").allowed


def test_all_are_free_again_when_it_says() -> None:
    clock = Clock()
    windows = SlidingWindows({"moves": 3}, clock)
    windows.take("moves", "DUKA")
    clock.now += 20
    seen = windows.take("moves", "DUKA")
    clock.now += seen.resets_in_s
    assert windows.take("moves", "DUKA").remaining == 2


@given(st.integers(1, 5), st.lists(st.floats(0, 40), max_size=40))
def test_no_minute_holds_more_than_its_limit(most: int, gaps: list[float]) -> None:
    clock = Clock()
    windows = SlidingWindows({"moves": most}, clock)
    taken: list[float] = []
    for gap in gaps:
        clock.now += gap
        if windows.take("moves", "DUKA").allowed:
            taken.append(clock.now)
    for at in taken:
        assert sum(at - WINDOW_S < other <= at for other in taken) <= most
