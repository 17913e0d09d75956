"""Stored blocks of phone numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.domain.block import Block
from services.domain.phone import Phone


class Blocks(Protocol):
    """Numbers that get no prompts, from one partner or from nobody."""

    def add(self, block: Block) -> bool:
        """False where it stands already."""
        ...

    def remove(self, phone: Phone, partner: str) -> bool: ...

    def of_phone(self, phone: Phone) -> Sequence[Block]: ...

    def is_blocked(self, phone: Phone, partner: str) -> bool:
        """For this partner, or for everybody."""
        ...
