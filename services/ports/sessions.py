"""Stored conversations, handled events and live messages."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from services.domain.session import SessionRow


class Sessions(Protocol):
    def mark_handled(self, channel: str, event_id: str, fault: str | None = None) -> bool:
        """Mark the event as handled; False when it was already."""
        ...

    def is_handled(self, channel: str, event_id: str) -> bool: ...

    def load(self, channel: str, address: str) -> SessionRow | None: ...

    def save(self, channel: str, address: str, row: SessionRow) -> None: ...

    def expired(self, limit: int) -> list[tuple[str, str]]:
        """(channel, address) of expired conversations, oldest first."""
        ...

    def next_expiry(self) -> datetime | None: ...

    def take_slot(self, channel: str, address: str, slot: str, message_id: str) -> None:
        """Make ``message_id`` the slot's live message."""
        ...

    def slot(self, channel: str, address: str, slot: str) -> str | None:
        """The slot's live message, if it has one."""
        ...

    def delete_unseen(self, moment: datetime, limit: int) -> int:
        """Delete strangers' conversations, idle since before this, that never showed a button.

        A button carries its turn number, so any other conversation must not start again at zero.
        """
        ...

    def delete_before(self, events: datetime, slots: datetime, limit: int) -> int:
        """Delete handled events and idle slots older than these; returns how many rows."""
        ...
