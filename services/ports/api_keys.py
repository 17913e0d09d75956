"""Stored API keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.domain.api_key import ApiKey


class ApiKeys(Protocol):
    """API keys, by the digest of them only."""

    def add(self, key: ApiKey, digest: str) -> bool:
        """False when the id is taken: draw another."""
        ...

    def get(self, key_id: str) -> ApiKey | None: ...

    def digest_of(self, key_id: str) -> str | None: ...

    def of(self, partner: str) -> Sequence[ApiKey]:
        """Newest first, those that are over too."""
        ...

    def used(self, key_id: str) -> None: ...

    def revoke(self, key_id: str) -> None: ...
