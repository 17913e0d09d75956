"""A measured case as a line of JSON, with its targets."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Target:
    """A named figure that should be at least, below, or at most a value."""

    figure: str
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None

    def met(self, value: float) -> bool:
        return (
            (self.at_least is None or value >= self.at_least)
            and (self.below is None or value < self.below)
            and (self.at_most is None or value <= self.at_most)
        )

    def to_json(self) -> dict[str, float]:
        bounds = {"at_least": self.at_least, "below": self.below, "at_most": self.at_most}
        return {name: bound for name, bound in bounds.items() if bound is not None}


@dataclass(frozen=True, slots=True)
class Case:
    """``ok`` is ``None`` without targets: a limit to compare with, or a remark."""

    name: str
    parameters: Mapping[str, object]
    figures: Mapping[str, float | int]
    targets: Sequence[Target] = field(default=())

    @property
    def ok(self) -> bool | None:
        if not self.targets:
            return None
        return all(target.met(self.figures[target.figure]) for target in self.targets)

    def line(self) -> str:
        return json.dumps(
            {
                "case": self.name,
                **self.parameters,
                "figures": {name: _short(value) for name, value in self.figures.items()},
                "target": {target.figure: target.to_json() for target in self.targets},
                "ok": self.ok,
                "load_average": round(os.getloadavg()[0], 2),
            }
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure as a ratio to that of a peer in the same run. ``conditions`` must be true as well;
    with neither a limit nor conditions, nothing is promised."""

    name: str
    parameters: Mapping[str, object]
    ratio: float
    limit: Target | None
    figures: Mapping[str, float | int]
    conditions: Mapping[str, bool] = field(default_factory=dict)

    @property
    def held(self) -> bool | None:
        if self.limit is None and not self.conditions:
            return None
        return (self.limit is None or self.limit.met(self.ratio)) and all(self.conditions.values())

    def line(self) -> str:
        return json.dumps(
            {
                "case": self.name,
                **self.parameters,
                "ratio": _short(self.ratio),
                "limit": None if self.limit is None else self.limit.to_json(),
                "held": self.held,
                "conditions": dict(self.conditions),
                "figures": {name: _short(value) for name, value in self.figures.items()},
                "load_average": round(os.getloadavg()[0], 2),
            }
        )


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile; a ``share`` of 0.99 is p99. NaN without measurements."""
    if not values:
        return math.nan
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def latencies(seconds: Sequence[float]) -> dict[str, float]:
    """The figures ``p50_ms``, ``p99_ms`` and ``max_ms``."""
    return {
        "p50_ms": percentile(seconds, 0.5) * 1000,
        "p99_ms": percentile(seconds, 0.99) * 1000,
        "max_ms": percentile(seconds, 1.0) * 1000,
    }


def _short(value: float | int) -> float | int:
    return value if isinstance(value, int) else float(f"{value:.4g}")
