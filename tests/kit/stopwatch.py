"""A stopped clock for the writer, which measures its batches with one."""

from __future__ import annotations


class Stopwatch:
    """The writer's batch timer. It does not move by itself, so a slow machine changes nothing."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds
