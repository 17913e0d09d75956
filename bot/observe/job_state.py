"""The state of a scheduled job, as shown to admins and in the metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

FAILS_AGAIN = 3  # consecutive failures; fewer may be a hiccup


@dataclass
class JobState:
    """Since the program started. ``failures`` counts consecutive ones; ``error`` is an exception's
    class name, because its message may contain anything."""

    name: str
    runs: int = 0
    ran_at: datetime | None = None
    took_s: float = 0.0
    next_at: datetime | None = None
    failures: int = 0
    error: str | None = None

    @property
    def fails_again(self) -> bool:
        """It fails again and again."""
        return self.failures >= FAILS_AGAIN
