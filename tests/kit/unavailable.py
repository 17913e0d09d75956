"""A database that is away at first."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from services.domain.database import DatabaseUnavailable

P = ParamSpec("P")
R = TypeVar("R")


def away_at_first(works: Callable[P, R], left: list[int]) -> Callable[P, R]:
    """``works``, but so many of its first calls raise. ``left`` is counted down, so that a test can
    see that they took place."""

    def sometimes(*args: P.args, **more: P.kwargs) -> R:
        if left[0]:
            left[0] -= 1
            raise DatabaseUnavailable("no node leads")
        return works(*args, **more)

    return sometimes
