"""Reads the program's own metrics, which count since it started."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import Counter, Histogram
from prometheus_client.metrics_core import Metric


def totals(counter: Counter) -> dict[tuple[str, ...], int]:
    """By the values of its labels."""
    return {
        tuple(sample.labels.values()): int(sample.value)
        for family in _families(counter)
        for sample in family.samples
        if sample.name.endswith("_total")
    }


def within_s(histogram: Histogram, share: float, **labels: str) -> float | None:
    """The least bound, in seconds, that this share of all was within: infinity beyond the last one;
    ``None`` where nothing was measured."""
    bounds = sorted(
        (float(sample.labels["le"]), sample.value)
        for family in _families(histogram)
        for sample in family.samples
        if sample.name.endswith("_bucket") and labels.items() <= sample.labels.items()
    )
    if not bounds or not bounds[-1][1]:
        return None
    return next(bound for bound, count in bounds if count >= share * bounds[-1][1])


def _families(collector: Counter | Histogram) -> Iterator[Metric]:
    yield from collector.collect()
