"""Rate-limited accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from services.domain.flood import Flood


class Floods(Protocol):
    def note(self, channel: str, address: str, until: datetime) -> None:
        """Record that the account was just asked to slow down."""
        ...

    def get(self, channel: str, address: str) -> Flood | None: ...

    def newest(self, limit: int) -> list[Flood]:
        """Accounts still rate limited first, then newest first."""
        ...

    def count(self) -> int:
        """How many accounts ``newest`` could list."""
        ...

    def let_go(self, channel: str, address: str) -> None:
        """Lift the rate limit now."""
        ...

    def delete_before(self, moment: datetime, limit: int) -> int: ...
