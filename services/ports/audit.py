"""The audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from services.domain.audit import AuditRow, Expected, Head


class Audit(Protocol):
    """The audit trail of every action (docs/security.md)."""

    def add(
        self,
        partner: str,
        actor: str,
        act: str,
        about: str,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        """``facts`` hold no secrets, and phones only masked."""
        ...

    def count(self) -> int:
        """Rows over all partners."""
        ...

    def count_suspicious(self, since: datetime, limit: int) -> int:
        """Number of suspicious attempts, counted up to ``limit``."""
        ...

    def count_suspicious_by(self, actor: str, since: datetime, limit: int) -> int:
        """The same for one account."""
        ...

    def newest(self, limit: int) -> list[AuditRow]:
        """Rows of all chains, newest first."""
        ...

    def before(self, at_ms: int, partner: str, n: int, limit: int) -> list[AuditRow]:
        """The rows that follow that one in the order of ``newest``, even within one millisecond."""
        ...

    def about(self, about: str, limit: int) -> list[AuditRow]:
        """Acts on one thing, oldest first."""
        ...

    def newest_problems(self, limit: int) -> list[str]:
        """Breaks among the newest rows of all chains, trusting the first of those rows in each
        chain."""
        ...

    def chain_breaks(self) -> list[str]:
        """Every break, in words. Reads all rows."""
        ...

    def breaks_after(
        self, after: tuple[str, int], limit: int, expected: Expected
    ) -> tuple[list[str], tuple[str, int] | None]:
        """Breaks in the next ``limit`` rows after (partner, n), and the position they end at;
        ``None`` when there are no more rows. Pass the same ``expected`` from page to page."""
        ...

    def head(self, until: datetime) -> Head:
        """One hash over the last row of every chain, as of that moment."""
        ...

    def ends(self) -> list[tuple[str, int, str]]:
        """Partner, number of rows and last hash of each chain."""
        ...
