"""Evidence from outside, the log of calls, and the admins' review queue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.domain.evidence import EvidenceItem, ProviderCall, ReviewItem


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

    def operations_since(self, kind: str, moment: datetime) -> list[str]:
        """References of the operations with evidence of this kind since then."""
        ...

    def last(self, operation: str, limit: int) -> list[EvidenceItem]:
        """The newest evidence about an operation, returned oldest first."""
        ...

    def calls(self, operation: str, limit: int) -> list[ProviderCall]:
        """The newest calls about an operation, returned oldest first."""
        ...

    def newest_calls(self, count: int) -> list[tuple[str, ProviderCall]]:
        """The newest calls with the operations that they are about, newest first."""
        ...

    def call_counts_since(self, moment: datetime, newest: int) -> list[tuple[str, str, int]]:
        """(call, outcome, count) since then, among the ``newest`` calls overall."""
        ...

    def reviews(self, operation: str) -> list[ReviewItem]:
        """All review items of an operation, open and closed."""
        ...

    def asked_at(self, operation: str) -> datetime | None:
        """When the bank was last asked about it."""
        ...

    def open_reviews(self, after: tuple[datetime, str, str] | None, limit: int) -> list[ReviewItem]:
        """Open review items, oldest first, after (opened, operation, why)."""
        ...

    def count_open_reviews_since(self, moment: datetime, limit: int) -> int:
        """The number of review items opened since then and open still, counted up to ``limit``."""
        ...

    def count_open_reviews(self, limit: int, up_to: ReviewItem | None = None) -> int:
        """The number of open review items, or of those up to that one in ``open_reviews``, counted
        up to ``limit``."""
        ...
