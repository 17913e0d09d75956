"""What a storm was made of, what led up to each moment, and the error that ends it."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime

from bot.simulation.clock import VirtualClock
from bot.storm.invariant_checker import BrokenInvariant

REMEMBERED = 60  # things that happened, told when an invariant is broken


@dataclass
class Tally:
    """What a storm was made of."""

    turns: int = 0  # those that came again among them
    steps: int = 0
    operations: int = 0
    faults: Counter[str] = field(default_factory=Counter)


class Violation(Exception):
    """An invariant does not hold: the seed, the first step where it was seen, what led there."""

    def __init__(
        self, seed: int, step: int, broken: list[BrokenInvariant], story: list[str]
    ) -> None:
        super().__init__(seed, step, broken, story)  # all of it, so that it can cross processes
        self.seed = seed
        self.step = step
        self.broken = broken
        self.story = story

    def __str__(self) -> str:
        first = self.broken[0]
        return f"seed {self.seed}, step {self.step}: {first.invariant}: {first.words}"


class Story:
    """Counts what happens and remembers the latest of it."""

    def __init__(self, seed: int, clock: VirtualClock) -> None:
        self.tally = Tally()
        self._seed = seed
        self._clock = clock
        self._happened: deque[tuple[datetime, str]] = deque(maxlen=REMEMBERED)

    def note(self, words: str) -> None:
        self._happened.append((self._clock.true_now(), words))

    def fault(self, words: str, kind: str) -> None:
        self.tally.faults[kind] += 1
        self.note(words)

    def heard_of(self, kind: str, words: str) -> None:
        if kind:
            self.tally.faults[kind] += 1
        if words:
            self.note(words)

    def check(self, broken: list[BrokenInvariant]) -> None:
        """Raises ``Violation`` when something is broken."""
        if broken:
            told = [f"{at:%d %H:%M:%S} {words}" for at, words in self._happened]
            raise Violation(self._seed, self.tally.steps, broken, told)
