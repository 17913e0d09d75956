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
