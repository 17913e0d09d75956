"""Evidence from outside, the log of calls, and the admins' review queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Evidence(Protocol):
    """Append-only: what outside parties said, and each call to them."""

    def add(self, operation: str, kind: str, source: str, text: str) -> None: ...

    def call(
        self, operation: str, call: str, attempt: int, outcome: str, text: str, milliseconds: int
    ) -> None:
        """``call`` is ``token``, ``query`` or ``status``, or else the name of a request that may
        move money, of which an operation has one."""
        ...

    def has_money_call(self, operation: str) -> bool:
        """Whether the answer to the one request that may move money has been recorded."""
        ...

    def open_review(self, operation: str, why: str) -> None:
        """Open a review item for the admins, once per operation and reason."""
        ...

    def reopen_review(self, operation: str, why: str) -> None:
        """Reopen a closed item."""
        ...

    def close_reviews(self, operation: str, why: str | None = None) -> None:
        """Close the items of one reason, or all."""
        ...

    def open_review_reasons(self, operation: str) -> Sequence[str]:
        """The reasons why an admin must look at it now."""
        ...
