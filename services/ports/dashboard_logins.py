"""Stored links to the dashboard and sessions of it, by their digests."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from services.domain.dashboard_session import DashboardSession


class DashboardLogins(Protocol):
    """An admin has one link and one session at most."""

    def offer(self, channel: str, address: str, link: str, until: datetime) -> None:
        """Takes the place of the admin's link before."""
        ...

    def spend(self, link: str, session: str) -> DashboardSession | None:
        """Exchange a link that is valid now for a session, which ends the admin's session before.

        ``None`` if there is no such link, or no longer; of several who spend it at once, one does.
        """
        ...

    def session(self, session: str) -> DashboardSession | None:
        """Also one that is over."""
        ...

    def note_use(self, session: str) -> None: ...

    def end(self, session: str) -> None: ...

    def end_all(self) -> None:
        """Every link and every session."""
        ...
