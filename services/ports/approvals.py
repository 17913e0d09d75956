"""Stored approvals by a second person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.domain.approval import Approval, Decision


class Approvals(Protocol):
    """What second persons are asked, and say."""

    def ask(self, purchase: str, partner: str, person_id: int) -> Approval: ...

    def get(self, purchase: str) -> Approval | None: ...

    def decide(self, purchase: str, decision: Decision, person_id: int | None) -> None:
        """Only what is undecided; ``person_id`` is never who asked."""
        ...

    def undecided(
        self, partner: str, but: int, since: datetime, after: str | None, limit: int
    ) -> Sequence[Approval]:
        """What others than ``but`` have asked for after ``since``; oldest first, from behind the
        purchase ``after``."""
        ...

    def unused_of(self, person_id: int) -> Sequence[str]:
        """Purchases that this person has agreed to, and that no code has let go of yet."""
        ...

    def stale(self, before: datetime, limit: int) -> Sequence[str]:
        """Purchases that wait, for a decision or for who asked, since that moment or before."""
        ...
