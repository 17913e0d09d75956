"""Which notifications a partner wants."""

from __future__ import annotations

from typing import Protocol

from services.domain.notification import NotificationKind, NotificationPreference


class NotificationPreferences(Protocol):
    def get(self, partner: str, kind: NotificationKind) -> NotificationPreference:
        """The partner's choice, or the default."""
        ...

    def set(self, partner: str, notice: NotificationPreference) -> None: ...

    def digests_due(self, day: str, limit: int) -> list[str]:
        """Partners that want a digest and have not had the one for ``day`` (ISO)."""
        ...

    def claim_digest(self, partner: str, day: str) -> bool:
        """Mark the digest for ``day`` as sent; False when another process already has."""
        ...
