"""Saved recipients of payouts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.domain.phone import Phone
from services.domain.recipient import Recipient


class Recipients(Protocol):
    """Each partner's own; a name and a phone are each saved once."""

    def of_name(self, partner: str, name: str) -> Recipient | None: ...

    def of_phone(self, partner: str, phone: Phone) -> Recipient | None: ...

    def save(self, partner: str, name: str, phone: Phone, person_id: int) -> None:
        """The phone's earlier name, and the name's earlier phone, are forgotten."""
        ...

    def remove(self, partner: str, name: str) -> bool: ...

    def count(self, partner: str) -> int: ...

    def first(self, partner: str, limit: int) -> Sequence[Recipient]:
        """The first by name."""
        ...
