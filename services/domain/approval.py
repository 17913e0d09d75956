"""A second person's decision on a large purchase."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

APPROVAL_LIFE = timedelta(hours=24)  # how long a purchase awaits approval


class Decision(StrEnum):
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"  # by the person who asked
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Approval:
    """``decision`` is ``None`` while the purchase awaits it."""

    purchase: str
    partner: str
    asked_by: int
    asked_at: datetime
    decision: Decision | None = None
    decided_by: int | None = None

    @property
    def ends_at(self) -> datetime:
        return self.asked_at + APPROVAL_LIFE
