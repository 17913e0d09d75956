"""The books, checked from outside within one transaction."""

from __future__ import annotations

from storage.invariants import invariant_violations, violations_by_invariant
from storage.sql import Connection


class InvariantStore:
    """Reads whole tables."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def violations(self) -> list[str]:
        """Every violated invariant of the books, in words; empty when all hold."""
        return list(invariant_violations(self._conn))

    def violations_by_invariant(self) -> list[tuple[str, str]]:
        """The same violations, each with the name of its invariant first."""
        return list(violations_by_invariant(self._conn))
