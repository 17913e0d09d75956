"""A number that gets no prompts, because its owner does not want them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.domain.limits import EVERYBODY
from services.domain.phone import Phone


@dataclass(frozen=True, slots=True)
class Block:
    """``partner`` (or ``EVERYBODY``) may not prompt it; ``by`` is named as in the audit log."""

    phone: Phone
    partner: str
    by: str
    at: datetime

    @property
    def is_for_all(self) -> bool:
        return self.partner == EVERYBODY
