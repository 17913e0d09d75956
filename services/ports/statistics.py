"""Usage figures over all partners."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.domain.statistics import OperationCounts


class Statistics(Protocol):
    """Reads many rows: only ever in a read."""

    def first_operation_since(self, moment: datetime) -> int:
        """The number of the first operation begun at or after ``moment``."""
        ...

    def count(self, kind: str, first: int) -> OperationCounts:
        """``kind`` is topup or b2c_float_purchase; counts from operation number ``first`` on."""
        ...

    def first_step_since(self, moment: datetime) -> int | None:
        """The number of the first trail row since then."""
        ...

    def reached(self, first: int) -> tuple[dict[str, int], int]:
        """How often people reached each screen since trail row ``first``, by ``flow.node``, and the
        row to continue from next time."""
        ...

    def received_by_day(self, days: Sequence[tuple[datetime, datetime]]) -> list[int]:
        """Cents received from top-ups begun on each day."""
        ...
