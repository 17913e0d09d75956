"""Stored API keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.domain.api_key import ApiKey


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

    def used(self, key_id: str) -> None: ...

    def revoke(self, key_id: str) -> None: ...
