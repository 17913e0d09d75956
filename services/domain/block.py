"""A number that gets no prompts: its owner does not want them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.domain.limits import EVERYBODY
from services.domain.phone import Phone


@dataclass(frozen=True, slots=True)
class Block:
    """``partner`` may not have it prompted, or ``EVERYBODY``; ``by`` is as the audit log says."""

    phone: Phone
    partner: str
    by: str
    at: datetime

    @property
    def is_for_all(self) -> bool:
        return self.partner == EVERYBODY
