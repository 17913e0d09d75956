"""Payments on the short code's own statement."""

from __future__ import annotations

from typing import Protocol

from services.domain.short_code_line import ShortCodeLine


class ShortCodeLines(Protocol):
    def add(self, line: ShortCodeLine, payout: str | None) -> None:
        """Store it once; a payout that is found for it later is noted then."""
        ...

    def is_listed(self, payout: str) -> bool: ...

    def finding(self, receipt: str) -> str | None:
        """What admins quote of a line that is no payout of ours."""
        ...

    def name_finding(self, receipt: str, reference: str) -> bool:
        """False if the reference is taken: draw another."""
        ...

    def of_finding(self, reference: str) -> ShortCodeLine | None: ...
