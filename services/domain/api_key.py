"""A partner's key to the HTTP API: its scopes and its expiry."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.domain.ids import ALPHABET, RandomSource
from services.domain.money import Money

PREFIX = "hz_"
ID_LENGTH = 6  # of the readable prefix; enough to tell a partner's keys apart at a glance
_KEY = re.compile(rf"({PREFIX}[{ALPHABET}]{{{ID_LENGTH}}})_[A-Za-z0-9_-]{{43}}")


class Scope(StrEnum):
    READ = "read"  # balances, history, statements
    TOPUP = "topup"
    FLOAT = "float"
    PAYOUT = "payout"
    WEBHOOKS = "webhooks"  # the event feed, and where events are sent


@dataclass(frozen=True, slots=True)
class ApiKey:
    """As stored: only the key's digest is kept. ``id`` is its readable prefix.

    ``payout_ceiling_cents`` is how much it may pay customers in a business day without a code; 0:
    nothing. A key that takes over from another begins with none.
    """

    id: str
    partner: str
    scopes: frozenset[Scope]
    created_by: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None
    used_from: str | None = None  # address of the last use
    replaces: str | None = None  # the key that it took over from
    payout_ceiling_cents: int = 0

    def is_active(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at

    def grants(self, scope: Scope) -> bool:
        return scope in self.scopes

    @property
    def payout_ceiling(self) -> Money:
        return Money(self.payout_ceiling_cents)

    @property
    def lifetime_days(self) -> int:
        """How long it was made for, at least a day; not of use once it was replaced."""
        return max(1, round((self.expires_at - self.created_at) / timedelta(days=1)))


def new_id(random: RandomSource) -> str:
    drawn = (ALPHABET[random.randrange(len(ALPHABET))] for _ in range(ID_LENGTH))
    return f"{PREFIX}{''.join(drawn)}"


def id_of(key: str) -> str | None:
    """The id at the start of a key; ``None`` if it cannot be a key."""
    match = _KEY.fullmatch(key)
    return None if match is None else match[1]
