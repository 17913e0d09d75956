"""One turn of a conversation, without anybody's words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class TrailRow:
    """``entry`` is the kind of input and the option tapped. ``before`` and ``after`` are nodes as
    ``flow.node``, ``outcome`` is the exit that was taken, ``operation`` what it was about."""

    at: datetime
    channel: str
    address: str
    entry: str
    before: str | None
    outcome: str
    after: str | None
    operation: str | None
