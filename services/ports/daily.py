"""Which day's work each daily job has done."""

from __future__ import annotations

from typing import Protocol


class DailyWork(Protocol):
    """Days are ISO dates."""

    def last(self, job: str) -> str | None: ...

    def done(self, job: str, day: str) -> bool:
        """False when that day was marked before, whoever marked it."""
        ...
