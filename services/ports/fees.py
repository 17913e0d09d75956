"""Fees, versioned by date."""

from __future__ import annotations

from typing import Protocol

from services.domain.fees import Fee, FeeKind


class Fees(Protocol):
    def in_force(self, partner: str, kind: FeeKind) -> Fee:
        """The newest version in force; a zero fee where none was agreed."""
        ...

    def set(self, partner: str, fee: Fee, source: str, valid_from_ms: int | None = None) -> None:
        """Add a version, in force from now or from ``valid_from_ms``; the database assigns its
        number."""
        ...
