"""Static checks of the flows, run when the program opens and as a test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flows.nodes import Ask, Choose, Confirm, Do, End, Flow, Look, Node
from flows.session import Flows
from flows.words import Texts, placeholders

CALLBACK_BYTES = 64  # facts: channels, Telegram
TURN_DIGITS = 12
SHOWN_ALWAYS = frozenset({"name", "partner", "my_phone"})
# What the host gives beside the data: by use case while waiting and for its exits, by view.
PROGRESS = {
    "start_topup": frozenset({"reference", "status"}),
    "start_another_topup": frozenset({"reference", "status"}),
}
OUTCOME = frozenset({"reference", "amount", "phone", "at", "balance", "reason"})
REFUSED = frozenset({"reason"})
RESERVED = frozenset({"back", "cancel", "menu", "refresh", "more", "newer", "continue", "restart"})
VIEWS = {
    "balance": frozenset({"partner", "at", "wallet", "available", "float", "low"}),
    "history": frozenset({"partner", "lines"}),
    "operation": frozenset(
        {"reference", "amount", "phone", "state", "reason", "begun", "settled", "receipt"}
    ),
}


class FlowFault(Exception):
    """A flow that cannot be right; one line a fault."""


def check(flows: Flows, texts: Texts) -> None:
    """Raises ``FlowFault`` with every fault found."""
    found = [fault for flow in flows for fault in faults(flow, texts)]
    found += _same_keys(texts)
    if found:
        raise FlowFault("\n".join(found))


def faults(flow: Flow, texts: Texts) -> Iterator[str]:
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
    yield from _reachable(flow, nodes)
    for node in flow.nodes:
        yield from _node(flow, nodes, node)
    yield from _texts(flow, nodes, texts)


def targets(node: Node) -> tuple[str, ...]:
    """Where a node can lead."""
    match node:
        case Ask():
            return (node.to,)
        case Choose():
            more = tuple(target for target in (node.to, node.typed) if target is not None)
            return (*(option.to for option in node.options), *more)
        case Confirm():
            return (node.yes, *node.edit.values())
        case Do():
            return tuple(node.on.values())
        case Look():
            return () if node.to is None else (node.to,)
        case End():
            return ()


def _reachable(flow: Flow, nodes: dict[str, Node]) -> Iterator[str]:
    reached: set[str] = set()
    todo = [flow.start]
    while todo:
        here = todo.pop()
        if here not in reached:
            reached.add(here)
            todo += targets(nodes[here])
    for node_id in nodes.keys() - reached:
        yield f"{flow.name}.{node_id}: nothing leads there"
    # Backwards from what ends a conversation: an End, or a Look, which is left at any time.
    ends = {node.id for node in flow.nodes if isinstance(node, End | Look)}
    while True:
        more = {
            node.id
            for node in flow.nodes
            if node.id not in ends and any(target in ends for target in targets(node))
        }
        if not more:
            break
        ends |= more
    for node_id in nodes.keys() - ends:
        yield f"{flow.name}.{node_id}: no End can be reached from there"


def _node(flow: Flow, nodes: dict[str, Node], node: Node) -> Iterator[str]:
    where = f"{flow.name}.{node.id}"
    fields = flow.data.model_fields
    for option in option_ids(node):
        if len(f"{'9' * TURN_DIGITS}:{option}".encode()) > CALLBACK_BYTES:
            yield f"{where}: option {option} does not fit {CALLBACK_BYTES} bytes"
    used: Iterable[str] = ()
    match node:
        case Ask():
            used = (node.into,)
        case Choose():
            used = [name for option in node.options for name in option.set]
            used = [*used, *([node.into] if node.into else [])]
            if node.typed is not None and not isinstance(nodes[node.typed], Ask):
                yield f"{where}: {node.typed} does not read what is typed"
        case Confirm():
            used = (*node.shows, *node.edit)
            for name, target in node.edit.items():
                if name not in _asked(nodes[target]):
                    yield f"{where}: edit-{name} leads to {target}, which does not ask {name}"
        case Do():
            used = node.args
            yield from _do(flow, nodes, node)
        case Look():
            used = (*node.args, *([node.into] if node.into else []))
            if node.view not in VIEWS:
                yield f"{where}: there is no view {node.view}"
            if node.acts and not node.args:
                yield f"{where}: has acts, but nothing that they act on"
    ids = option_ids(node)
    for option in ids:
        if ids.count(option) > 1 or option in RESERVED:
            yield f"{where}: option {option} is there twice, or is the engine's own"
    for name in dict.fromkeys(used):
        if name not in fields:
            yield f"{where}: {name} is no field of {flow.data.__name__}"


def _do(flow: Flow, nodes: dict[str, Node], node: Do) -> Iterator[str]:
    where = f"{flow.name}.{node.id}"
    if "refused" not in node.on:
        yield f"{where}: has no exit for a refusal"
    if node.waits and "unknown" not in node.on:
        yield f"{where}: waits, but has no exit for an unknown outcome"
    if not node.money:
        return
    if flow.start == node.id:
        yield f"{where}: moves money, and nothing is asked before"
    for other in nodes.values():
        if node.id not in targets(other):
            continue
        if not isinstance(other, Confirm) or other.yes != node.id:
            yield f"{where}: moves money, but {other.id} leads there without a Confirm's yes"
            continue
        shown = other.shows
        for name in node.args:
            if name not in shown:
                yield f"{where}: moves money, but {other.id} leads there without showing {name}"


def _asked(node: Node) -> tuple[str, ...]:
    """The fields that a question can answer by itself."""
    match node:
        case Ask():
            return (node.into,)
        case Choose():
            names = [name for option in node.options for name in option.set]
            return (*names, *([node.into] if node.into else []))
        case _:
            return ()


def option_ids(node: Node) -> list[str]:
    """The ids that a node's own buttons can have, and what is said when an act is done."""
    match node:
        case Choose():
            return [option.id for option in node.options]
        case Confirm():
            return ["yes", *(f"edit-{name}" for name in node.edit)]
        case Do() | Look():
            return [*node.acts, *(f"{act}-done" for act in node.acts)]
        case _:
            return []


def _texts(flow: Flow, nodes: dict[str, Node], texts: Texts) -> Iterator[str]:
    known = _known(flow, nodes)
    for language in texts.languages:
        for node in flow.nodes:
            asks = {"ask"} if not isinstance(node, Do) or node.waits else set()
            for name in (*sorted(asks), *option_ids(node)):
                key = f"{flow.name}.{node.id}.{name}"
                if not texts.has(language, key):
                    yield f"{language}: {key} is missing"
                    continue
                wanted = placeholders(texts.keys(language)[key])
                if isinstance(node, Confirm) and name == "ask":
                    for unsaid in sorted(set(node.shows) - wanted):
                        yield f"{language}: {key} does not say {unsaid}"
                if name != "ask" and not isinstance(node, Choose):
                    for extra in sorted(wanted):  # buttons are said without facts
                        yield f"{language}: {key} cannot say {extra}"
                    continue
                for missing in sorted(wanted - known[node.id] - SHOWN_ALWAYS):
                    yield f"{language}: {key} wants {missing}, which not every path gives"


def _known(flow: Flow, nodes: dict[str, Node]) -> dict[str, frozenset[str]]:
    """By node, what is assigned on every path to it, and what the host adds there."""
    everything = frozenset(flow.data.model_fields)
    known = dict.fromkeys(nodes, everything)
    known[flow.start] = frozenset()
    while True:
        before = dict(known)
        for node in nodes.values():
            for target, gives in _gives(node):
                if target != flow.start:
                    known[target] &= known[node.id] | gives
        if known == before:
            break
    added: dict[str, frozenset[str]] = {node_id: frozenset() for node_id in nodes}
    for node in nodes.values():
        if isinstance(node, Do):
            added[node.id] |= PROGRESS.get(node.use_case, frozenset())
            for exit_name, target in node.on.items():
                if isinstance(nodes[target], End):
                    added[target] |= REFUSED if exit_name == "refused" else OUTCOME
        if isinstance(node, Look):
            added[node.id] |= VIEWS.get(node.view, frozenset())
    return {node_id: known[node_id] | added[node_id] for node_id in nodes}


def _gives(node: Node) -> Iterator[tuple[str, frozenset[str]]]:
    match node:
        case Ask():
            yield node.to, frozenset({node.into})
        case Choose():
            for option in node.options:
                yield option.to, frozenset(option.set)
            if node.to is not None and node.into is not None:
                yield node.to, frozenset({node.into})
            if node.typed is not None:
                yield node.typed, frozenset()
        case Look():
            if node.to is not None and node.into is not None:
                yield node.to, frozenset({node.into})
        case _:
            for target in targets(node):
                yield target, frozenset()


def _same_keys(texts: Texts) -> Iterator[str]:
    """Every language says everything, and wants no fact that another does without."""
    every = {key for language in texts.languages for key in texts.keys(language)}
    for key in sorted(every):
        have = [language for language in texts.languages if texts.has(language, key)]
        for language in set(texts.languages) - set(have):
            yield f"{language}: {key} is missing"
        wanted = {language: placeholders(texts.keys(language)[key]) for language in have}
        common = set.intersection(*wanted.values())
        for language in have:
            for name in sorted(wanted[language] - common):
                yield f"{language}: {key} says {name}, which another language does not"
