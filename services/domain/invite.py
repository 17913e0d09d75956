"""An invitation: a single-use link by which one account becomes one person of a partner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.domain.partner import Role
from services.domain.phone import Phone

LIFE = timedelta(minutes=30)


class InviteStatus(StrEnum):
    OPEN = "open"
    CLAIMED = "claimed"  # opened by one account; no other can use it now
    USED = "used"
    REVOKED = "killed"


@dataclass(frozen=True, slots=True)
class Invite:
    """As stored: only the token's digest is kept. ``channel`` and ``address`` are those of the
    account that claimed it, ``phone`` is the number that account shared."""

    id: str
    partner: str
    role: Role
    name: str
    invited_by: str
    expires_at: datetime
    status: InviteStatus
    channel: str | None = None
    address: str | None = None
    phone: Phone | None = None

    def is_claimed_by(self, channel: str, address: str) -> bool:
        return (self.channel, self.address) == (channel, address)
