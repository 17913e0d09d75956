"""What docs/monitoring asks of Prometheus, read without its own parser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "monitoring"
RULES = FOLDER / "alerts.yml"
RULE_TESTS = FOLDER / "alerts.test.yml"
DASHBOARD = FOLDER / "dashboard.json"

_SELECTOR = re.compile(r"(hazina_\w+)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring) *\(([^)]*)\)")


class Selector(NamedTuple):
    """Part of a query: a metric, and the values that it asks of each label."""

    metric: str
    labels: dict[str, list[str]]


def dashboard_queries() -> list[str]:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", ())]


def rules_without_comments() -> str:
    lines = RULES.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


def everything_asked() -> str:
    return "\n".join([rules_without_comments(), *dashboard_queries()])


def selectors(text: str) -> Iterator[Selector]:
    for metric, matchers in _SELECTOR.findall(text):
        found = _MATCHER.findall(matchers)
        yield Selector(metric, {label: value.split("|") for label, _, value in found})


def groupings(text: str) -> set[str]:
    """Labels that queries group by, or join on."""
    return {label.strip() for labels in _GROUPING.findall(text) for label in labels.split(",")}
