"""Messages waiting to be sent."""

from __future__ import annotations

from typing import Protocol

from services.domain.phone import Phone


class Outbox(Protocol):
    """Messages waiting to be sent. The edge that words a message queues it."""

    def drop_queued(self, channel: str, address: str) -> None:
        """Cancel queued messages to this account, except codes."""
        ...

    def drop_queued_sms(self, phone: Phone) -> None:
        """Cancel queued SMS to this number."""
        ...
