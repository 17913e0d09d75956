"""The time that the writer measures its batches by, held still."""

from __future__ import annotations


class Stopwatch:
    """What the writer measures a batch by; stands still, so that a slow machine changes nothing."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds
