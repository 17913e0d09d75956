"""Named points at which the simulated product can be killed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CrashPointName = Literal["commit", "after-commit", "before-call", "after-call"]


@dataclass
class ArmedCrash:
    """Kill at the ``nth`` passing of a point from now; ``fired`` once it has happened."""

    point: CrashPointName
    call: str | None
    nth: int
    fired: bool = False

    def passes(self, point: str, call: str | None) -> bool:
        """Count a passing of this point. Returns whether the process dies here."""
        if self.fired or self.point != point or self.call != call:
            return False
        self.nth -= 1
        self.fired = self.nth == 0
        return self.fired
