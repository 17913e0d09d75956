"""Stored broadcasts and whom they have reached."""

from __future__ import annotations

from typing import Protocol

from services.domain.broadcast import Broadcast, Recipient


class Broadcasts(Protocol):
    def add(self, broadcast_id: str, text: str, by: str) -> bool:
        """False if the id is taken, or another broadcast is running."""
        ...

    def get(self, broadcast_id: str) -> Broadcast | None: ...

    def running(self) -> Broadcast | None: ...

    def page(self, before: str | None, limit: int) -> list[Broadcast]:
        """Newest first, after the broadcast ``before``."""
        ...

    def count(self, down_to: str | None = None) -> int:
        """The number of broadcasts, or of those down to that one in ``page``."""
        ...

    def count_recipients(self) -> dict[str, int]:
        """How many accounts are linked to an active partner, by channel."""
        ...

    def next_recipients(self, after: int, people: int) -> list[Recipient]:
        """All accounts of the next ``people`` people after the person ``after``."""
        ...

    def went_on(self, broadcast_id: str, last_person: int, told: int) -> None: ...

    def end(self, broadcast_id: str, state: str) -> bool:
        """False if it has ended already."""
        ...
