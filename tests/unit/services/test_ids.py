"""References survive being read aloud over the phone."""

import random
import re

import pytest

from services.domain.ids import ALPHABET, DRAWS_MAX, draw_text, draw_unique, new_reference


class Dice:
    """A random source that draws preset values and records the range of each draw."""

    def __init__(self, *draws: int) -> None:
        self._draws = list(draws)
        self.stops: list[int] = []

    def randrange(self, stop: int, /) -> int:
        self.stops.append(stop)
        return self._draws.pop(0)


def test_no_two_letters_look_alike() -> None:
    assert not set(ALPHABET) & set("01OIL")


def test_no_letter_stands_twice_in_the_alphabet() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET)


def test_a_reference_is_its_prefix_and_six_letters() -> None:
    assert re.fullmatch(r"TU-[2-9A-HJKMNP-Z]{6}", new_reference("TU", random.Random(1)))


def test_each_letter_is_drawn_from_the_whole_alphabet() -> None:
    dice = Dice(0, 1, 2, 3, 4, len(ALPHABET) - 1)
    assert new_reference("TU", dice) == f"TU-{ALPHABET[:5]}{ALPHABET[-1]}"
    assert dice.stops == [len(ALPHABET)] * 6


def test_the_length_can_be_chosen() -> None:
    assert len(new_reference("F", Dice(0, 0), length=2)) == len("F-22")


def test_one_seed_gives_the_same_references_again() -> None:
    first, second = random.Random(7), random.Random(7)
    assert [new_reference("TU", first) for _ in range(5)] == [
        new_reference("TU", second) for _ in range(5)
    ]


def test_a_reference_that_is_taken_is_drawn_again() -> None:
    dice, stored = iter("aab"), {"a"}
    assert draw_unique(lambda: next(dice), lambda drawn: drawn not in stored) == "b"
    assert list(dice) == []


def test_drawing_ends_when_every_reference_is_taken() -> None:
    dice = iter(range(100))
    with pytest.raises(RuntimeError, match="no free reference found"):
        draw_unique(lambda: next(dice), lambda _: False)
    assert next(dice) == DRAWS_MAX


def test_a_text_is_drawn_at_once_and_from_the_whole_alphabet() -> None:
    dice = random.Random(7)
    drawn = [draw_text(dice, 16) for _ in range(200)]
    assert {len(text) for text in drawn} == {16}
    assert set("".join(drawn)) == set(ALPHABET)
    assert len(set(drawn)) == 200
