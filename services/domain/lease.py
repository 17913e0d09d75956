"""How a worker holds what it has claimed: in whose name, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Lease:
    """``owner`` is a process (``services.ports.Database.process``). ``lasts`` must outlive the call
    that it is for: when it is over, others may claim the operation."""

    owner: str
    lasts: timedelta
