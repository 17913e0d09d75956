"""However many groups there are and however much they write: few answers, bounded memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.channels.telegram.groups import EVERY_S, KNOWN_MAX, MOST, MOST_EVERY_S, GroupLimiter


class Seconds:
    passed = 0.0

    def __call__(self) -> float:
        return self.passed


@given(
    said=st.lists(
        st.tuples(st.integers(1, 40), st.sampled_from([0, 0, 0, 1, 7, 600, EVERY_S])), max_size=300
    )
)
def test_a_group_has_one_answer_an_hour_and_all_together_ten_a_minute(
    said: list[tuple[int, float]],
) -> None:
    seconds = Seconds()
    gate, answered = GroupLimiter(seconds), dict[int, float]()
    count = 0
    for group, wait in said:
        seconds.passed += wait
        if gate.allow(group):
            assert seconds.passed - answered.get(group, -EVERY_S) >= EVERY_S
            answered[group] = seconds.passed
            count += 1
        assert count <= MOST + seconds.passed / MOST_EVERY_S


def test_a_group_that_has_waited_is_answered_though_others_were() -> None:
    seconds = Seconds()
    gate = GroupLimiter(seconds)
    assert [gate.allow(group) for group in range(MOST + 1)] == [True] * MOST + [False]
    seconds.passed = MOST_EVERY_S
    assert gate.allow(99)


def test_only_so_many_groups_are_remembered() -> None:
    seconds = Seconds()
    gate = GroupLimiter(seconds)
    for group in range(KNOWN_MAX + 50):
        seconds.passed += MOST_EVERY_S
        gate.allow(group)
    assert len(gate._answered) == KNOWN_MAX
