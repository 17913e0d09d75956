"""The program's own time: which changes of the machine's clock it follows, and which not."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.time.timekeeper import IGNORED_JUMP_MAX, Timekeeper
from tests.kit.settable_clock import DAY, START, SettableClock


def test_time_goes_on_as_it_passes() -> None:
    clock = SettableClock()
    keeper = clock.keeper()
    clock.pass_time(86_400.25)
    assert keeper.read() == (START + DAY + timedelta(seconds=0.25), *3 * (timedelta(0),))


@pytest.mark.parametrize("leap", [IGNORED_JUMP_MAX, -IGNORED_JUMP_MAX])
def test_a_small_leap_is_not_followed(leap: timedelta) -> None:
    clock = SettableClock()
    keeper = clock.keeper()
    clock.set_clock(leap)
    clock.pass_time(60)
    assert keeper.read().now == START + timedelta(seconds=60)
    assert keeper.read().stepped == timedelta(0)


@pytest.mark.parametrize("step", [3 * DAY, -3 * DAY, timedelta(seconds=6)])
def test_a_step_is_followed_at_once_and_counted(step: timedelta) -> None:
    clock = SettableClock()
    keeper = clock.keeper()
    clock.pass_time(60)
    clock.set_clock(step)
    reading = keeper.read()
    assert (reading.now, reading.stepped) == (clock.wall, step)
    assert reading.steady_now == START + timedelta(seconds=60)


def test_small_leaps_become_a_step_where_they_add_up() -> None:
    clock = SettableClock()
    keeper = clock.keeper()
    clock.set_clock(timedelta(seconds=-4))
    assert keeper.read().stepped == timedelta(0)
    clock.set_clock(timedelta(seconds=-4))
    assert keeper.read().stepped == timedelta(seconds=-8)
    assert keeper.now() == clock.wall


def test_a_start_behind_what_is_stored_is_a_step_back() -> None:
    clock = SettableClock()
    keeper = clock.keeper()
    keeper.begin(START + 3 * DAY)
    assert keeper.read() == (START, -3 * DAY, timedelta(0), timedelta(0))
    assert keeper.read().steady_now == START + 3 * DAY


def test_a_start_a_little_behind_what_is_stored_goes_on_from_there() -> None:
    clock = SettableClock()
    keeper = clock.keeper()
    keeper.begin(START + IGNORED_JUMP_MAX)
    clock.pass_time(1)
    assert keeper.read().now == START + IGNORED_JUMP_MAX + timedelta(seconds=1)
    assert keeper.read().stepped == timedelta(0)


def test_a_start_ahead_of_what_is_stored_is_a_standstill() -> None:
    clock = SettableClock()
    keeper = clock.keeper()
    keeper.begin(START - DAY)
    assert keeper.read() == (START, timedelta(0), DAY, timedelta(0))
    assert keeper.read().steady_now == START - DAY


def test_without_a_second_clock_only_one_that_is_set_back_can_be_told() -> None:
    clock = SettableClock()
    keeper = Timekeeper(lambda: clock.wall)
    clock.set_clock(DAY)
    assert keeper.read().stepped == timedelta(0)
    clock.set_clock(-IGNORED_JUMP_MAX)
    assert keeper.now() == START + DAY
    clock.set_clock(-DAY)
    assert keeper.read()[:2] == (clock.wall, -DAY - IGNORED_JUMP_MAX)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 100_000_000),
            st.one_of(st.integers(-6_000, 6_000), st.integers(-300_000_000, 300_000_000)),
        ),
        max_size=20,
    )
)
def test_any_series_of_steps_moves_time_by_what_was_counted_and_stays_near_the_clock(
    series: list[tuple[int, int]],
) -> None:
    clock = SettableClock()
    keeper = clock.keeper()
    passed = timedelta(0)
    for pass_ms, set_ms in series:
        clock.pass_time(pass_ms / 1_000)
        passed += timedelta(milliseconds=pass_ms)
        clock.set_clock(timedelta(milliseconds=set_ms))
        reading = keeper.read()
        assert reading.now == START + passed + reading.stepped
        assert abs(clock.wall - reading.now) <= IGNORED_JUMP_MAX
        assert reading.stepped % timedelta(milliseconds=1) == timedelta(0)
