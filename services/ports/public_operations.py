"""Operations as their partner's systems see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.domain.public_operation import PublicKind, PublicOperation, Status


class PublicOperations(Protocol):
    """What was only quoted is not among them."""

    def get(self, reference: str) -> PublicOperation | None:
        """Of whatever partner."""
        ...

    def page(
        self,
        partner: str,
        limit: int,
        *,
        before: int | None = None,
        offset: int = 0,
        kind: PublicKind | None = None,
        status: Status | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Sequence[tuple[int, PublicOperation]]:
        """Newest first, each with its place; those below the place ``before``, begun from ``since``
        on and before ``until``."""
        ...

    def describe(self, reference: str, description: str) -> None:
        """Keep the words that the partner's system gave; call in the transaction that changes the
        operation."""
        ...

    def count(self, partner: str) -> int:
        """How many there are."""
        ...
