"""Static checks of all flows and texts, run at startup and as a test."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from flows.engine.check_calls import count_errors, handler_errors
from flows.engine.check_phone import phone_errors
from flows.engine.check_repeats import repeat_errors
from flows.engine.check_sms import sms_errors
from flows.engine.check_structure import call_errors, node_errors, targets, unreachable_nodes
from flows.engine.check_texts import group_errors, language_errors, text_errors, text_name_errors
from flows.engine.check_words import word_errors
from flows.engine.declarations import Declarations
from flows.engine.nodes import Flow
from flows.engine.session import FlowRegistry
from flows.engine.texts import Texts


class InvalidFlow(Exception):
    """A flow is wrong; the message has one fault per line."""


@cache
def check(flows: FlowRegistry, texts: Texts, declared: Declarations) -> None:
    """Raises ``InvalidFlow`` with every fault found; a valid result is cached."""
    found = [fault for flow in flows for fault in flow_errors(flow, texts, declared)]
    found += [fault for flow in flows for fault in call_errors(flows, flow)]
    found += [fault for flow in flows for fault in repeat_errors(flows, flow)]
    found += [fault for flow in flows for fault in text_name_errors(flow, texts)]
    found += group_errors(flows, texts)
    found += language_errors(texts)
    found += sms_errors(flows, texts, declared)
    found += phone_errors(flows, texts, declared)
    found += word_errors(texts)
    if found:
        raise InvalidFlow("\n".join(found))


def flow_errors(flow: Flow, texts: Texts, declared: Declarations) -> Iterator[str]:
    """Everything wrong with one flow, in words."""
    nodes = {node.id: node for node in flow.nodes}
    if len(nodes) < len(flow.nodes):
        yield f"{flow.name}: two nodes share an id"
    broken = False
    for node in flow.nodes:
        for target in targets(node):
            if target not in nodes:
                yield f"{flow.name}.{node.id}: leads to {target}, which is no node"
                broken = True
    if flow.start not in nodes:
        yield f"{flow.name}: starts at {flow.start}, which is no node"
        return
    if broken:
        return
    yield from unreachable_nodes(flow, nodes)
    for node in flow.nodes:
        yield from node_errors(flow, nodes, node, declared)
    yield from handler_errors(flow, nodes, declared)
    yield from count_errors(flow, declared)
    yield from text_errors(flow, nodes, texts, declared)
