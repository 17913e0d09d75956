"""Stored events of partners' operations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from services.domain.partner_event import PartnerEvent


class PartnerEvents(Protocol):
    """Whatever changes an operation so that its partner can see it adds an event at the end of its
    transaction, by itself. What else is told is added here."""

    def caused_by(self, request_id: str, idempotency_key: str | None) -> None:
        """Name the call that this transaction decides, in every event that it adds."""
        ...

    def settle(self) -> None:
        """Give what has changed so far its version now, so that it can be read: what changes later
        in this transaction gets another."""
        ...

    def add(self, partner: str, type_: str, data: dict[str, Any]) -> PartnerEvent:
        """Add an event that is no operation's to the feed, and queue it for the endpoints."""
        ...

    def add_test(self, partner: str, type_: str) -> PartnerEvent:
        """Add an event without data that is in no feed, and queue it nowhere."""
        ...

    def get(self, partner: str, n: int) -> PartnerEvent | None:
        """Also one that is in no feed."""
        ...

    def newest_place(self, partner: str) -> int:
        """The place of the newest event, also once it was deleted; 0 if there was none."""
        ...

    def page(self, partner: str, after: int, limit: int) -> Sequence[PartnerEvent]:
        """Those in the feed, oldest first, beginning after place ``after``."""
        ...

    def delete_before(self, moment: datetime, limit: int) -> int:
        """Delete older ones from the beginning of each feed; returns how many."""
        ...
