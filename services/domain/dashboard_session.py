"""How long a link to the dashboard, and the session that it opens, may be used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

LINK_LIFE = timedelta(minutes=2)
SESSION_LIFE = timedelta(hours=8)
IDLE_MAX = timedelta(minutes=30)  # without a page being opened
NOTED_EVERY = timedelta(minutes=1)  # so that not every page is a write


@dataclass(frozen=True, slots=True)
class DashboardSession:
    """One admin's; ``used_at`` is when a page was last opened, to the minute."""

    channel: str
    address: str
    begun_at: datetime
    used_at: datetime

    @property
    def admin(self) -> tuple[str, str]:
        return self.channel, self.address

    def is_over(self, now: datetime) -> bool:
        return now >= self.ends_at

    @property
    def ends_at(self) -> datetime:
        """If no page is opened any more."""
        return min(self.begun_at + SESSION_LIFE, self.used_at + IDLE_MAX)

    def wants_note(self, now: datetime) -> bool:
        """Whether its last use is so long ago that this one should be noted."""
        return now - self.used_at >= NOTED_EVERY
