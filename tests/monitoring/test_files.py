"""The dashboard and the alerts ask for what the desk measures, and lead to where help is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.observe import metrics
from bot.turns.hop_outcome import HopKind
from services.domain import bank, webhook
from services.domain.float_purchase import PurchaseState
from services.domain.operation import OperationType
from services.domain.payout import PayoutState
from services.domain.topup import TopUpState
from tests.kit.measured_desk import metrics_of_everything
from tests.kit.monitoring_files import (
    DASHBOARD,
    FOLDER,
    ROOT,
    RULE_TESTS,
    dashboard_queries,
    everything_asked,
    groupings,
    rules_without_comments,
    selectors,
)

SCRAPED = {"job", "instance"}  # labels that Prometheus adds
STATES = {*TopUpState, *PurchaseState, *PayoutState}
CALLS = set(re.findall(r'_metrics\.bank\("(\w+)"', Path(metrics.__file__).read_text("utf-8")))
# What a label can be, of the metrics that are asked for by it.
VALUES = {
    ("hazina_operations_open", "kind"): {*OperationType},
    ("hazina_operations_open", "state"): STATES,
    ("hazina_operations_oldest_seconds", "kind"): {*OperationType},
    ("hazina_operations_oldest_seconds", "state"): STATES,
    ("hazina_outcomes_total", "state"): STATES,
    ("hazina_outcomes_total", "kind"): {*OperationType},
    ("hazina_bank_calls_total", "call"): CALLS,
    ("hazina_bank_seconds_bucket", "call"): CALLS,
    ("hazina_bank_calls_total", "outcome"): {*vars(bank)},
    ("hazina_webhooks_total", "outcome"): {*vars(webhook)},
    ("hazina_messages_total", "outcome"): {*metrics.MessageOutcome},
    ("hazina_turns_total", "exit"): {"decided", "repeated", "fault"},
    ("hazina_ussd_hops_total", "kind"): {*HopKind},
    ("hazina_strangers_total", "what"): {"answered", "silent", "strange", "group", "group_silent"},
    ("hazina_api_calls_total", "status"): {"5.."},
}


@pytest.fixture
async def labels_of(tmp_path: Path) -> dict[str, set[str]]:
    """The labels of each series that the desk serves."""
    exposition = await metrics_of_everything(tmp_path)
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


async def test_every_metric_that_is_asked_for_is_served_with_its_labels(
    labels_of: dict[str, set[str]],
) -> None:
    for metric, labels in selectors(everything_asked()):
        assert metric in labels_of
        assert {*labels} <= labels_of[metric] | SCRAPED, metric
    known = {label for labels in labels_of.values() for label in labels}
    assert groupings(everything_asked()) <= known | SCRAPED | {"alertname"}


def test_every_value_that_is_asked_for_exists() -> None:
    for metric, labels in selectors(everything_asked()):
        for label in labels.keys() - SCRAPED:
            assert {*labels[label]} <= VALUES[metric, label], f"{metric} {label}"


async def test_everything_that_is_measured_is_on_the_dashboard(
    labels_of: dict[str, set[str]],
) -> None:
    shown = {selector.metric for query in dashboard_queries() for selector in selectors(query)}
    served = {re.sub(r"_(sum|count)$", "_bucket", name) for name in labels_of}
    assert {name for name in served - shown if not name.endswith("_created")} == set()


def test_a_dashboard_asks_the_prometheus_and_the_desk_that_were_chosen() -> None:
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    assert [chosen["name"] for chosen in dashboard["__inputs"]] == ["DS_PROMETHEUS"]
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    for panel in panels:
        for asks in (panel, *panel["targets"]):
            assert asks["datasource"] == {"type": "prometheus", "uid": "${DS_PROMETHEUS}"}
    for query in dashboard_queries():
        for selector in selectors(query):
            assert selector.labels["instance"] == ["$instance"], query


def test_every_alert_says_how_urgent_it_is_and_where_to_look() -> None:
    rules = rules_without_comments().split("- alert: ")[1:]
    assert len(rules) > 20
    for rule in rules:
        assert re.search(r"severity: (critical|warning)$", rule, re.MULTILINE), rule
        assert re.search(r"^ +summary: .{10,60}$", rule, re.MULTILINE), rule
        assert re.search(r"^ +description: .+", rule, re.MULTILINE), rule
        found = re.search(r'^ +runbook: "(docs/(?:admin|recovery)\.md): (.+)"$', rule, re.MULTILINE)
        assert found is not None, rule
        document, words = found.groups()
        there = (ROOT / document).read_text(encoding="utf-8")
        assert f"| **{words}" in there or f"# {words}" in there, words


def test_every_alert_is_tested_and_explained() -> None:
    alerts = set(re.findall(r"- alert: (\w+)", rules_without_comments()))
    tests = RULE_TESTS.read_text(encoding="utf-8")
    tested = set(re.findall(r'alertname(?:: |=")(\w+)', tests))
    assert tested == alerts
    guide = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(Hazina\w+)`", guide)) == alerts
