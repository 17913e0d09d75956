"""The time at which a transaction happens."""

from __future__ import annotations

from datetime import datetime

from storage.time.milliseconds import to_ms


class TransactionTime:
    """``now`` for the domain, ``ms`` for the tables; the writer sets both once per function.
    ``function`` counts the functions of one connection. ``steady_now`` is explained in
    ``storage.time.timekeeper.ClockReading``."""

    __slots__ = ("function", "ms", "now", "steady_now")

    def __init__(self, now: datetime) -> None:
        self.function = 0
        self.begin(now, now)

    def begin(self, now: datetime, steady_now: datetime) -> None:
        self.function += 1
        self.now = now
        self.ms = to_ms(now)
        self.steady_now = steady_now
