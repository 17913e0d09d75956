"""How many calls a partner's systems may make within a minute."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

WINDOW_S = 60
PARTNERS_MAX = 10_000  # windows kept; the longest unused is dropped first


@dataclass(frozen=True, slots=True)
class Allowance:
    """``remaining`` calls of ``most`` within ``WINDOW_S``; one more in ``again_in_s`` seconds if it
    was not allowed. ``resets_in_s``: when all are free again, if none is made."""

    name: str
    most: int
    remaining: int
    resets_in_s: int
    allowed: bool
    again_in_s: int = 0


class SlidingWindows:
    """Counts within any ``WINDOW_S`` seconds, by name and partner, in this process.

    ``limits`` are the most of each name. Callable from the threads of readers.
    """

    def __init__(self, limits: Mapping[str, int], monotonic: Callable[[], float]) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._taken: dict[tuple[str, str], deque[float]] = {}
        self._lock = threading.Lock()

    def take(self, name: str, partner: str) -> Allowance:
        """Count one, if it is allowed."""
        now, most = self._monotonic(), self._limits[name]
        with self._lock:
            taken = self._taken.pop((name, partner), None)
            if taken is None:
                taken = deque()
            self._taken[name, partner] = taken
            if len(self._taken) > PARTNERS_MAX:
                del self._taken[next(iter(self._taken))]
            while taken and taken[0] <= now - WINDOW_S:
                taken.popleft()
            allowed = len(taken) < most
            if allowed:
                taken.append(now)
            oldest = taken[0] if taken else now
            newest = taken[-1] if taken else now
            remaining = most - len(taken)
        again = 0 if allowed else max(1, math.ceil(oldest + WINDOW_S - now))
        resets = max(0, math.ceil(newest + WINDOW_S - now))
        return Allowance(name, most, remaining, resets, allowed, again)
