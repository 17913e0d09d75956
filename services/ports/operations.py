"""The list of a partner's operations of all types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.domain.operation import Operation


class Operations(Protocol):
    """All listed operations of a partner, whatever their type."""

    def partner_of(self, reference: str) -> str | None:
        """Whose the operation is; ``None`` if there is none."""
        ...

    def page(
        self, partner: str, size: int, *, before: str | None = None, after: str | None = None
    ) -> Sequence[Operation]:
        """Newest first; the page older than the reference ``before``, or the one just newer than
        ``after``."""
        ...
