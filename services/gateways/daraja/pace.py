"""How many requests a second leave for Daraja: slower at once when it complains, faster again in
small steps (facts: Daraja 2, 3)."""

from __future__ import annotations

from services.ports import Clock

MOST_PER_S = 5.0  # what an app may do is not published
LEAST_PER_S = 0.2
STEP_PER_S = 0.1


class Pace:
    """Callers take turns, in the order in which they came, at most ``most_per_s`` of them."""

    def __init__(self, clock: Clock, most_per_s: float = MOST_PER_S) -> None:
        self._clock = clock
        self._next_at = clock.monotonic()
        self._most_per_s = most_per_s
        self.per_s = most_per_s

    async def turn(self) -> None:
        """Wait until one more request may leave."""
        now = self._clock.monotonic()
        at = max(now, self._next_at)
        self._next_at = at + 1 / self.per_s
        if at > now:
            await self._clock.sleep(at - now)

    def slow_down(self) -> None:
        self.per_s = max(LEAST_PER_S, self.per_s / 2)

    def speed_up(self) -> None:
        self.per_s = min(self._most_per_s, self.per_s + STEP_PER_S)
