"""Stored sessions of USSD, and what gateways said of those that ended."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from services.domain.ussd import UssdEvent, UssdSession


class UssdSessions(Protocol):
    def find(self, gateway: str, session: str) -> UssdSession | None: ...

    def save(self, session: UssdSession) -> None:
        """Add it, or update everything but whose it is and when it began."""
        ...

    def dispute(self, gateway: str, session: str) -> None:
        """Note that another phone or code came with its id."""
        ...

    def last_heard(self, phone: str) -> datetime | None:
        """When the newest hop of this phone was decided."""
        ...

    def begun_since(self, phone: str, moment: datetime) -> int:
        """How many sessions the phone has begun since then."""
        ...

    def delete_before(self, moment: datetime, limit: int) -> int:
        """Delete sessions not heard of since; returns how many."""
        ...


class UssdEvents(Protocol):
    def add(self, event: UssdEvent) -> bool:
        """False if the session's event is known already."""
        ...

    def delete_before(self, moment: datetime, limit: int) -> int: ...
