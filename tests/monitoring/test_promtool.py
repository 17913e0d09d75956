"""Prometheus' own tool reads what the desk serves, and the rules and queries made for it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.kit.measured_desk import metrics_of_everything
from tests.kit.monitoring_files import RULE_TESTS, RULES, dashboard_queries

pytestmark = pytest.mark.promtool


def promtool(*args: str | Path, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ("promtool", *args), input=typed, text=True, capture_output=True, check=False, timeout=60
    )


def test_the_rules_are_valid() -> None:
    checked = promtool("check", "rules", RULES)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_rules_fire_when_they_should() -> None:
    tested = promtool("test", "rules", RULE_TESTS)
    assert tested.returncode == 0, tested.stdout + tested.stderr


async def test_what_is_served_is_without_a_fault(tmp_path: Path) -> None:
    checked = promtool("check", "metrics", typed=await metrics_of_everything(tmp_path))
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_the_dashboard_asks_in_valid_queries(tmp_path: Path) -> None:
    """As rules, which JSON is too."""
    queries = (query.replace("$__rate_interval", "5m") for query in dashboard_queries())
    rules = [{"record": f"panel{n}", "expr": query} for n, query in enumerate(queries)]
    file = tmp_path / "queries.json"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}), "utf-8")
    checked = promtool("check", "rules", file)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("metric", "fault"),
    [
        ("# HELP hazina_runs x\n# TYPE hazina_runs counter\nhazina_runs 1\n", "_total"),
        ("# HELP hazina_ms x\n# TYPE hazina_ms gauge\nhazina_wait_milliseconds 1\n", "unit"),
    ],
)
def test_a_fault_would_be_found(metric: str, fault: str) -> None:
    checked = promtool("check", "metrics", typed=metric)
    assert checked.returncode != 0
    assert fault in checked.stdout + checked.stderr
