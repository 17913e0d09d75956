"""The list of a partner's operations, whatever their type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.domain.operation import Operation


class Operations(Protocol):
    """Every operation of a partner that has become one, whatever its type."""

    def page(
        self, partner: str, size: int, *, before: str | None = None, after: str | None = None
    ) -> Sequence[Operation]:
        """Newest first, beyond ``before`` or, going back, next to ``after`` (references)."""
        ...
