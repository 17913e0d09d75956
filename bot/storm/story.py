"""What a storm did: its counts, the events before each moment, and the error that ends it."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime

from bot.simulation.clock import VirtualClock
from bot.storm.broken_invariant import BrokenInvariant

REMEMBERED = 60  # events reported with a broken invariant


@dataclass
class Tally:
    """Counts of one storm."""

    turns: int = 0  # including repeated events
    steps: int = 0
    operations: int = 0
    calls: int = 0  # of the API
    hops: int = 0  # of phones that dial
    faults: Counter[str] = field(default_factory=Counter)


class Violation(Exception):
    """A broken invariant: the seed, the first step at which it was seen, and what led to it."""

    def __init__(
        self, seed: int, step: int, broken: list[BrokenInvariant], story: list[str]
    ) -> None:
        super().__init__(seed, step, broken, story)  # all arguments, so that it can be pickled
        self.seed = seed
        self.step = step
        self.broken = broken
        self.story = story

    def __str__(self) -> str:
        first = self.broken[0]
        return f"seed {self.seed}, step {self.step}: {first.invariant}: {first.words}"


class Story:
    """Counts events and remembers the latest ones."""

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
        """Raises ``Violation`` if any invariant is broken."""
        if broken:
            story = [f"{at:%d %H:%M:%S} {words}" for at, words in self._happened]
            raise Violation(self._seed, self.tally.steps, broken, story)
