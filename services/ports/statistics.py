"""Usage figures over all partners."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.domain.statistics import BatchTally, OperationCounts


class Statistics(Protocol):
    """Reads many rows: only ever in a read."""

    def first_operation_since(self, moment: datetime) -> int:
        """The number of the first operation begun at or after ``moment``."""
        ...

    def count(self, kind: str, first: int) -> OperationCounts:
        """``kind`` is a value of ``OperationType``; counts from operation number ``first`` on."""
        ...

    def batches(self, first: int) -> BatchTally:
        """Files of payouts from operation number ``first`` on."""
        ...

    def first_step_since(self, moment: datetime) -> int | None:
        """The number of the first trail row since then."""
        ...

    def last_step_before(self, moment: datetime) -> int:
        """The number of the last trail row before then, 0 if there is none."""
        ...

    def reached(self, first: int, last: int | None = None) -> dict[str, int]:
        """How often people reached each screen from trail row ``first`` to ``last`` (default: the
        newest), by ``flow.node``."""
        ...

    def received_by_day(self, days: Sequence[tuple[datetime, datetime]]) -> list[int]:
        """Cents received from top-ups begun on each day."""
        ...
