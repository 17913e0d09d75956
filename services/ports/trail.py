"""What happened in each conversation."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from services.domain.trail import TrailRow


class Trail(Protocol):
    """One row a turn, without anybody's words."""

    def add(
        self,
        channel: str,
        address: str,
        person_id: int | None,
        entry: str,
        before: str | None,
        outcome: str,
        after: str | None,
        operation: str | None,
    ) -> None:
        """``entry`` is the kind of input and the option tapped, never text."""
        ...

    def newest(self, count: int) -> list[TrailRow]:
        """Newest first."""
        ...

    def last(self, count: int) -> list[str]:
        """The newest rows as lines, oldest first."""
        ...

    def delete_before(self, moment: datetime, limit: int) -> int: ...
