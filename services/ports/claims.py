"""Claims on operations: who works on one, and until when."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from services.domain.lease import Lease


class Claims(Protocol):
    """Claims of operations of any kind. Two claims of one operation have different attempt numbers,
    whichever process made them."""

    def take(self, kind: str, lease: Lease, sends: int, queries: int) -> Sequence[str]:
        """Claim what is due; returns references, the longest due first: at most ``sends`` that are
        to be sent (or whose sending was cut off), then at most ``queries`` of all others.

        Each falls due again when the lease ends, with its attempt number increased by one.
        """
        ...

    def still_ready(self, reference: str, attempt: int) -> bool:
        """Whether nobody has claimed it since, and nothing was sent. It stays so until this
        transaction ends."""
        ...

    def upcoming(self, limit: int) -> list[tuple[str, str, datetime]]:
        """(reference, state, due) of the operations that are due next, of any kind."""
        ...

    def next_due(self, kind: str) -> datetime | None:
        """When the next operation of this kind is due, or the next lease ends."""
        ...

    def end_leases_of_others(self, kind: str, owner: str) -> int:
        """End the leases of every process but ``owner``; returns how many. Only for whoever knows
        that no other process lives."""
        ...

    def end_leases_of(self, kind: str, owners: Collection[str]) -> int:
        """End the leases of these, which hold nothing any more; returns how many."""
        ...
