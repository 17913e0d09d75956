"""What was heard from outside about an operation, and what admins must look at."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class EvidenceItem(NamedTuple):
    """Who reported what about an operation, and when."""

    at: datetime
    kind: str
    source: str
    said: str


class ProviderCall(NamedTuple):
    """One call to the bank, and its outcome."""

    at: datetime
    call: str
    answer: str
    milliseconds: int


class ReviewItem(NamedTuple):
    """Something an admin must review, and why; ``closed_at`` is when it was settled."""

    operation: str
    why: str
    opened_at: datetime
    closed_at: datetime | None
