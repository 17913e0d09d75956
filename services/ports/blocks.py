"""Stored blocks of phone numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.domain.block import Block
from services.domain.phone import Phone


class Blocks(Protocol):
    """Phone numbers that get no prompts, from one partner or from any."""

    def add(self, block: Block) -> bool:
        """False if it exists already."""
        ...

    def remove(self, phone: Phone, partner: str) -> bool: ...

    def of_phone(self, phone: Phone) -> Sequence[Block]: ...

    def is_blocked(self, phone: Phone, partner: str) -> bool:
        """By this partner's block, or by one for all partners."""
        ...

    def of(self, partner: str, limit: int) -> list[Block]:
        """The partner's own blocks, newest first."""
        ...

    def every(self, limit: int) -> list[Block]:
        """Blocks of every partner, newest first."""
        ...

    def count(self, partner: str | None = None) -> int:
        """The number of blocks, of one partner or of all."""
        ...

    def phones(self, limit: int) -> list[Phone]:
        """Each number once, however many have blocked it, most recently blocked first."""
        ...
