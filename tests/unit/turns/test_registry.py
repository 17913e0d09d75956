"""Everything that a flow calls by name is registered; otherwise it would fail only when tapped."""

from __future__ import annotations

from bot.turns.registry import ACTIONS, CODE_CHECKS, REQUIRED_RIGHTS, USE_CASES, VIEWS
from flows.catalogue import all_flows
from flows.engine.nodes import Code, Do, Look

NODES = [node for flow in all_flows() for node in flow.nodes]


def test_every_use_case_of_a_flow_is_registered() -> None:
    called = {node.use_case for node in NODES if isinstance(node, Do)}
    assert called <= set(USE_CASES)


def test_every_view_of_a_flow_is_registered() -> None:
    assert {node.view for node in NODES if isinstance(node, Look)} <= set(VIEWS)


def test_every_code_check_of_a_flow_is_registered() -> None:
    assert {node.use_case for node in NODES if isinstance(node, Code)} <= set(CODE_CHECKS)


def test_every_action_of_a_flow_is_registered() -> None:
    called = {use_case for node in NODES for use_case in dict(getattr(node, "acts", {})).values()}
    called |= {node.status_use_case for node in NODES if isinstance(node, Code)}
    called |= {flow.cancel_use_case for flow in all_flows() if flow.cancel_use_case is not None}
    assert called <= set(ACTIONS)


def test_only_what_is_registered_asks_for_a_right() -> None:
    assert set(REQUIRED_RIGHTS) <= {*USE_CASES, *CODE_CHECKS, *ACTIONS}
