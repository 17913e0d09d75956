"""How a worker holds what it has claimed: in whose name, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from services.domain.ids import RandomSource

_OWNERS = 1 << 64


@dataclass(frozen=True, slots=True)
class Lease:
    """``owner`` is a run of the program. ``lasts`` must outlive the call that it is for: when it is
    over, others may claim the operation."""

    owner: str
    lasts: timedelta


def new_owner(random: RandomSource) -> str:
    """A name for this run of the program, which no other run has."""
    return f"{random.randrange(_OWNERS):016x}"
