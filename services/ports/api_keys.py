"""Stored API keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.domain.api_key import ApiKey
from services.domain.money import Money


class ApiKeys(Protocol):
    """API keys, stored only as digests."""

    def add(self, key: ApiKey, digest: str) -> bool:
        """False if the id is taken: draw another."""
        ...

    def get(self, key_id: str) -> ApiKey | None: ...

    def digest_of(self, key_id: str) -> str | None: ...

    def of(self, partner: str) -> Sequence[ApiKey]:
        """Newest first, including expired and revoked keys."""
        ...

    def expiring(self, after: datetime, until: datetime, used_since: datetime) -> Sequence[ApiKey]:
        """Used keys without a successor that expire later than ``after`` and by ``until``, in the
        order in which they do; revoked ones are left out."""
        ...

    def used(self, key_id: str, address: str) -> None:
        """Now, from this address of the network."""
        ...

    def shorten(self, key_id: str, ends_at: datetime) -> None:
        """It expires at ``ends_at``, unless it does so earlier anyway."""
        ...

    def set_ceiling(self, key_id: str, ceiling: Money) -> None:
        """It may pay customers so much in a business day without a code."""
        ...

    def revoke(self, key_id: str) -> None: ...
