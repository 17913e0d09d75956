"""Named points at which a simulated product can be killed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CrashPointName = Literal["commit", "after-commit", "before-call", "after-call"]


@dataclass
class ArmedCrash:
    """Kill at the ``nth`` next passing of a point; ``fired`` when it has happened."""

    point: CrashPointName
    call: str | None
    nth: int
    fired: bool = False

    def passes(self, point: str, call: str | None) -> bool:
        """Count one passing of a point. True when the process dies here."""
        if self.fired or self.point != point or self.call != call:
            return False
        self.nth -= 1
        self.fired = self.nth == 0
        return self.fired
