"""A partner's key to the HTTP API: what it may, and for how long."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.domain.ids import ALPHABET, RandomSource

PREFIX = "hz_"
ID_LENGTH = 6  # of the readable part; enough to tell a partner's keys apart at sight
_KEY = re.compile(rf"({PREFIX}[{ALPHABET}]{{{ID_LENGTH}}})_[A-Za-z0-9_-]{{43}}")


class Scope(StrEnum):
    READ = "read"  # balances, history, statements
    TOPUP = "topup"
    FLOAT = "float"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """As stored: the key itself is nowhere, only its digest. ``id`` is its readable beginning."""

    id: str
    partner: str
    scopes: frozenset[Scope]
    created_by: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_active(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at


def new_id(random: RandomSource) -> str:
    drawn = (ALPHABET[random.randrange(len(ALPHABET))] for _ in range(ID_LENGTH))
    return f"{PREFIX}{''.join(drawn)}"


def id_of(key: str) -> str | None:
    """The id in a key's beginning; ``None`` for what cannot be a key."""
    match = _KEY.fullmatch(key)
    return None if match is None else match[1]
