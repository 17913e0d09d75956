"""A change of the machine's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class ClockStep:
    """Somebody set the clock: ``by`` this much (negative when it went back), to ``to``."""

    by: timedelta
    to: datetime
