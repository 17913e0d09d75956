"""Evidence from outside, the log of calls, and the review queue of the admins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Evidence(Protocol):
    """Append-only: what the outside said, and each call to it."""

    def add(self, operation: str, kind: str, source: str, text: str) -> None: ...

    def call(
        self, operation: str, call: str, attempt: int, outcome: str, text: str, milliseconds: int
    ) -> None: ...

    def has_money_call(self, operation: str) -> bool:
        """Whether the answer to the one request that may move money is written down already."""
        ...

    def open_review(self, operation: str, why: str) -> None:
        """Open a review item for the admins, once per operation and reason."""
        ...

    def reopen_review(self, operation: str, why: str) -> None:
        """Open a closed item again."""
        ...

    def close_reviews(self, operation: str, why: str | None = None) -> None:
        """Those of one reason, or all."""
        ...

    def open_review_reasons(self, operation: str) -> Sequence[str]:
        """Why an admin must look at it, now."""
        ...
