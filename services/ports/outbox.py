"""Messages waiting to be sent."""

from __future__ import annotations

from typing import Protocol

from services.domain.phone import Phone


class Outbox(Protocol):
    """What waits to be sent. Messages are written by whoever has their words."""

    def drop_queued(self, channel: str, address: str) -> None:
        """What waits for this account is not sent any more, codes aside."""
        ...

    def drop_queued_sms(self, phone: Phone) -> None:
        """Neither is what waits to be texted there."""
        ...
