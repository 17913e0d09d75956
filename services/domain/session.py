"""Where a conversation stands, as it is stored."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class SessionRow(NamedTuple):
    """``flow`` and ``node`` are for people and indexes; ``body`` is the engine's own JSON."""

    turn: int
    flow: str | None
    node: str | None
    body: str
    expires_at: datetime | None
