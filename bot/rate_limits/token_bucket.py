"""A token bucket: limits what outsiders can make us do, with a burst."""

from __future__ import annotations

from collections.abc import Callable


class TokenBucket:
    """``most`` at once, then one more every ``every_s`` seconds of a monotonic clock."""

    __slots__ = ("_every_s", "_monotonic", "_most", "_spent_until")

    def __init__(self, most: int, every_s: float, monotonic: Callable[[], float]) -> None:
        self._every_s = every_s
        self._most = most
        self._monotonic = monotonic
        self._spent_until = monotonic()

    def take(self) -> bool:
        """Take a token; ``False`` if none is left."""
        now = self._monotonic()
        spent_until = max(self._spent_until, now)
        if spent_until - now > (self._most - 1) * self._every_s:
            return False
        self._spent_until = spent_until + self._every_s
        return True
