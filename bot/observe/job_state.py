"""How a scheduled job has fared: what admins and whoever scrapes the metrics see of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass
class JobState:
    """Since this program was started. ``failures`` are in a row; ``error`` is a class's name, for
    its words may hold anything."""

    name: str
    runs: int = 0
    ran_at: datetime | None = None
    took_s: float = 0.0
    next_at: datetime | None = None
    failures: int = 0
    error: str | None = None
