"""A bank's token, as processes share it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredToken:
    """``version`` grows with each; ``sealed`` and ``expires_at`` are ``None`` before the first."""

    version: int
    sealed: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
