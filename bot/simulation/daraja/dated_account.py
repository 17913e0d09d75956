"""An account whose entries may have a moment in the future."""

from __future__ import annotations

import heapq
from datetime import datetime


class DatedAccount:
    """Amounts are cents; a debit is negative. No timer is needed: what is due is read off the
    moment asked for, which never goes back.
    """

    def __init__(self) -> None:
        self._balance = 0
        self._coming: list[tuple[datetime, int]] = []

    def enter(self, cents: int, at: datetime) -> None:
        heapq.heappush(self._coming, (at, cents))

    def balance(self, now: datetime) -> int:
        while self._coming and self._coming[0][0] <= now:
            self._balance += heapq.heappop(self._coming)[1]
        return self._balance

    def free(self, now: datetime) -> int:
        """The balance without what is already promised to debits to come."""
        return self.balance(now) + sum(cents for _, cents in self._coming if cents < 0)
