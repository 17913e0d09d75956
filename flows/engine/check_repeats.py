"""Checks of what the Ends of a flow lead to: they open questions, and decide nothing."""

from __future__ import annotations

from collections.abc import Iterator

from flows.engine.check_structure import CALLBACK_BYTES, TURN_DIGITS, asks_first
from flows.engine.check_texts import known_fields
from flows.engine.next_steps import option_about
from flows.engine.nodes import End, Flow, Repeat
from flows.engine.session import FlowRegistry
from services.domain.ids import REFERENCE_LENGTH

_LONGEST_REFERENCE = "X" * (len("TU-") + REFERENCE_LENGTH)


def repeat_errors(flows: FlowRegistry, flow: Flow) -> Iterator[str]:
    for node in flow.nodes:
        if isinstance(node, End):
            for name in node.opens:
                if name not in flows.newest:
                    yield f"{flow.name}.{node.id}: opens {name}, which is no flow"
    for option, ways in flow.repeats.items():
        where = f"{flow.name}: {option}"
        for about in (_LONGEST_REFERENCE, flow.name):
            data = f"{'9' * TURN_DIGITS}:{option_about(option, about)}"
            if len(data.encode()) > CALLBACK_BYTES:
                yield f"{where} does not fit {CALLBACK_BYTES} bytes"
        for repeat in ways:
            yield from _way_errors(flows, flow, repeat, where)


def _way_errors(flows: FlowRegistry, flow: Flow, repeat: Repeat, where: str) -> Iterator[str]:
    opened = flow if repeat.flow is None else flows.newest.get(repeat.flow)
    node = None if opened is None else opened.find(repeat.at)
    if opened is None or node is None:
        yield f"{where} leads to {repeat.flow or flow.name}.{repeat.at}, which is no node"
        return
    nodes = {node.id: node for node in opened.nodes}
    if not asks_first(opened, node):
        yield f"{where} leads to {opened.name}.{node.id}, which may do something unasked"
    for name in repeat.fills:
        if name not in opened.data.model_fields:
            yield f"{where} fills {name}, which is no field of {opened.data.__name__}"
    for name in sorted(known_fields(opened, nodes)[node.id] - set(repeat.fills)):
        yield f"{where} leads to {opened.name}.{node.id} without {name}"
