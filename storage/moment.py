"""The moment at which a transaction happens."""

from __future__ import annotations

from datetime import datetime

from storage.times import to_ms


class Moment:
    """``now`` for the domain, ``ms`` for the tables; read once per function by the writer."""

    __slots__ = ("ms", "now")

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.ms = to_ms(now)

    def advance(self, now: datetime) -> None:
        """Move forward; a clock that was set back holds time still."""
        if now > self.now:
            self.now = now
            self.ms = to_ms(now)
