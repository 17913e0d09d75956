"""Stored approvals by a second person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.domain.approval import Approval, Decision


class Approvals(Protocol):
    """Requests for a second person's approval, and the decisions on them."""

    def ask(self, purchase: str, partner: str, person_id: int) -> Approval: ...

    def get(self, purchase: str) -> Approval | None: ...

    def decide(self, purchase: str, decision: Decision, person_id: int | None) -> None:
        """Only if undecided; ``person_id`` is never the person who asked."""
        ...

    def undecided(
        self, partner: str, but: int, since: datetime, after: str | None, limit: int
    ) -> Sequence[Approval]:
        """Requests made after ``since`` by anyone except ``but``; oldest first, starting after the
        purchase ``after``."""
        ...

    def count_undecided(
        self, partner: str, but: int, since: datetime, up_to: str | None = None
    ) -> int:
        """The number of those that ``undecided`` lists, or of those up to that purchase."""
        ...

    def unused_of(self, person_id: int) -> Sequence[str]:
        """Purchases this person approved whose code has not been used yet."""
        ...

    def stale(self, before: datetime, limit: int) -> Sequence[str]:
        """Purchases awaiting approval, or their buyer after it, since that moment or earlier."""
        ...

    def oldest(self) -> datetime | None:
        """When the oldest undecided purchase was asked for."""
        ...
