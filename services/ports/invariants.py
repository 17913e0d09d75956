"""Checks of the books from outside."""

from __future__ import annotations

from typing import Protocol


class Invariants(Protocol):
    """Reads whole tables."""

    def violations(self) -> list[str]:
        """Each violated invariant in words; empty when all hold."""
        ...

    def violations_by_invariant(self) -> list[tuple[str, str]]:
        """The same violations, each with the name of its invariant first."""
        ...
