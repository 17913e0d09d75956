"""Limits on amounts, dated."""

from __future__ import annotations

from typing import Protocol

from services.domain.money import Money


class Limits(Protocol):
    def in_force(self, name: str, partner: str = "") -> Money:
        """The dated limit that applies at this moment, the partner's own before everybody's.

        Raises ``KeyError`` if there is none.
        """
        ...

    def find(self, name: str, partner: str = "") -> Money | None:
        """As ``in_force``, for a limit that need not be set."""
        ...

    def set_from_now(self, name: str, limit: Money, source: str, partner: str = "") -> None:
        """Add a row; the ones before it stay for the days they were in force."""
        ...
