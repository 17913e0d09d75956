"""Randomness, so that simulation and tests can seed it."""

from __future__ import annotations

from typing import Protocol

from services.domain.ids import RandomSource


class Random(RandomSource, Protocol):
    """``random.SystemRandom`` in production, seeded in simulation."""

    def uniform(self, a: float, b: float) -> float: ...
