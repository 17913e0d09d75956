"""Dated limits on amounts."""

from __future__ import annotations

from typing import Protocol

from services.domain.money import Money


class Limits(Protocol):
    def in_force(self, name: str, partner: str = "") -> Money:
        """The limit that applies now; the partner's own takes precedence over the general one.

        Raises ``KeyError`` if there is none.
        """
        ...

    def find(self, name: str, partner: str = "") -> Money | None:
        """Like ``in_force``, for an optional limit."""
        ...

    def set_from_now(self, name: str, limit: Money, source: str, partner: str = "") -> None:
        """Add a row; earlier rows stay for the days on which they were in force."""
        ...

    def set(
        self, name: str, valid_from_ms: int, limit: Money, source: str, partner: str = ""
    ) -> None:
        """Add a row, in force from then; earlier rows stay for the days on which they were in
        force."""
        ...

    def own(self, name: str, partner: str) -> Money | None:
        """Like ``find``, but only for this partner itself."""
        ...
