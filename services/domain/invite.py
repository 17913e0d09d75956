"""An invitation: a link that lets one account become one person of a partner, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.domain.partner import Role
from services.domain.phone import Phone

LIFE = timedelta(minutes=30)


class InviteStatus(StrEnum):
    OPEN = "open"
    CLAIMED = "claimed"  # one account has opened it; it is nobody else's now
    USED = "used"
    REVOKED = "killed"


@dataclass(frozen=True, slots=True)
class Invite:
    """As stored: the token is nowhere, only its digest. ``channel`` and ``address`` are of the
    account that claimed it, ``phone`` is the number which that account shared."""

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
