"""Checks of how the nodes of a flow connect, apart from their texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from flows.engine.declarations import Declarations, waits
from flows.engine.nodes import Ask, Call, Choose, Code, Confirm, Contact, Do, End, Flow, Look, Node
from flows.engine.session import FlowRegistry

ASKS = Ask | Choose | Confirm | Look  # a person answers before anything happens
CALLBACK_BYTES = 64  # facts: channels, Telegram
TURN_DIGITS = 12
OPTION = re.compile(r"[a-z0-9-]{1,48}")
RESERVED = frozenset(
    {"back", "cancel", "menu", "refresh", "more", "newer", "continue", "restart", "done"}
)


def targets(node: Node) -> tuple[str, ...]:
    """The nodes a node can lead to."""
    match node:
        case Ask():
            return (node.to, *(option.to for option in node.options))
        case Contact():
            return (node.to,)
        case Choose():
            more = tuple(target for target in (node.to, node.typed) if target is not None)
            return (*(option.to for option in node.options), *more)
        case Confirm():
            again = () if node.after_edit is None else (node.after_edit,)
            return (node.yes, *node.edit.values(), *again)
        case Do() | Code():
            return tuple(node.on.values())
        case Call():
            return () if node.to is None else (node.to,)
        case Look():
            items = () if node.to is None else (node.to,)
            return (*items, *(option.to for option in node.options))
        case End():
            return ()


def asks_first(flow: Flow, node: Node) -> bool:
    """Whether entering the node does nothing before a person has answered: a question, or a Do
    without money that leads to questions only."""
    if isinstance(node, ASKS):
        return True
    if not isinstance(node, Do) or node.money:
        return False
    return all(isinstance(flow.node(target), ASKS | End) for target in targets(node))


def hands_over(node: Node) -> bool:
    return isinstance(node, Call) and node.to is None


def unreachable_nodes(flow: Flow, nodes: Mapping[str, Node]) -> Iterator[str]:
    reached: set[str] = set()
    todo = [*flow.entries, *(way.at for way in flow.own_repeats)]
    while todo:
        here = todo.pop()
        if here not in reached:
            reached.add(here)
            todo += targets(nodes[here])
    for node_id in nodes.keys() - reached:
        yield f"{flow.name}.{node_id}: nothing leads there"
    # Walk backwards from what ends a conversation: an End, or a Look, which can be left at any
    # time.
    ends = {node.id for node in flow.nodes if isinstance(node, End | Look) or hands_over(node)}
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


def node_errors(
    flow: Flow, nodes: Mapping[str, Node], node: Node, declared: Declarations
) -> Iterator[str]:
    where = f"{flow.name}.{node.id}"
    fields = flow.data.model_fields
    for option in option_ids(node):
        if len(f"{'9' * TURN_DIGITS}:{option}".encode()) > CALLBACK_BYTES:
            yield f"{where}: option {option} does not fit {CALLBACK_BYTES} bytes"
        if not OPTION.fullmatch(option):
            yield f"{where}: option {option} is not of a-z, 0-9 and -, as taps carry"
    used: Iterable[str] = ()
    match node:
        case Ask():
            used = (node.into, *node.args)
            used = (*used, *(name for option in node.options for name in option.fills))
        case Contact():
            used = (node.into,)
        case Choose():
            used = [name for option in node.options for name in option.fills]
            used = [*used, *node.args, *([node.into] if node.into else [])]
            if node.typed is not None and not isinstance(nodes[node.typed], Ask):
                yield f"{where}: {node.typed} does not read what is typed"
        case Confirm():
            used = (*node.shows, *node.edit, *node.args)
            for name, target in node.edit.items():
                if name not in _asked(nodes[target]):
                    yield f"{where}: edit-{name} leads to {target}, which does not ask {name}"
        case Code():
            used = (node.operation, *node.args)
            if node.operation != flow.operation:
                yield f"{where}: a code approves the flow's own operation"
        case Do():
            used = (*node.args, *([node.operation] if node.operation else []))
            used = (*used, *(name for names in node.gives.values() for name in names))
            yield from _do(flow, nodes, node, declared)
        case Call():
            used = tuple(node.gives.values())
        case Look():
            used = (*node.args, *([node.into] if node.into else []))
            used = (*used, *(name for option in node.options for name in option.fills))
            if node.acts and not node.args:
                yield f"{where}: has acts, but nothing that they act on"
            if node.item_acts and node.into is None:
                yield f"{where}: has acts on items, but no items"
        case End():
            for option in node.repeats:
                if option not in flow.repeats:
                    yield f"{where}: {option} is none of the flow's repeats"
    ids = option_ids(node)
    for option in ids:
        if ids.count(option) > 1 or option in RESERVED:
            yield f"{where}: option {option} is there twice, or is the engine's own"
    for name in dict.fromkeys(used):
        if name not in fields:
            yield f"{where}: {name} is no field of {flow.data.__name__}"


def _do(flow: Flow, nodes: Mapping[str, Node], node: Do, declared: Declarations) -> Iterator[str]:
    where = f"{flow.name}.{node.id}"
    if "refused" not in node.on:
        yield f"{where}: has no exit for a refusal"
    if waits(declared, node.use_case) and "unknown" not in node.on:
        yield f"{where}: waits, but has no exit for an unknown outcome"
    if not node.money:
        return
    if flow.start == node.id:
        yield f"{where}: moves money, and nothing is asked before"
    yield from _confirmed(flow, nodes, node, set(node.args), where, {node.id}, declared)


def _confirmed(
    flow: Flow,
    nodes: Mapping[str, Node],
    node: Node,
    args: set[str],
    where: str,
    seen: set[str],
    declared: Declarations,
) -> Iterator[str]:
    """Every way into ``node`` must pass the "yes" of a Confirm that shows its args, directly or
    with only a Code or a Do that does not wait in between."""
    for other in nodes.values():
        if node.id not in targets(other):
            continue
        passes_on = isinstance(other, Code) or (
            isinstance(other, Do) and not waits(declared, other.use_case)
        )
        if isinstance(other, Do) and passes_on:
            for exit_name, target in other.on.items():
                for name in sorted(args & set(other.gives.get(exit_name, ()))):
                    if target == node.id:
                        yield f"{where}: moves money, but {other.id} changes {name} after the yes"
        if passes_on and other.id != flow.start:
            if other.id not in seen:
                yield from _confirmed(flow, nodes, other, args, where, seen | {other.id}, declared)
        elif (
            not isinstance(other, Confirm)
            or other.yes != node.id
            or node.id in (other.after_edit, *other.edit.values())
        ):
            yield f"{where}: moves money, but {other.id} leads there without a Confirm's yes"
        else:
            for name in sorted(args - set(other.shows)):
                yield f"{where}: moves money, but {other.id} leads there without showing {name}"


def _asked(node: Node) -> tuple[str, ...]:
    """The fields that a question can fill by itself."""
    match node:
        case Ask() | Contact():
            return (node.into,)
        case Choose():
            names = [name for option in node.options for name in option.fills]
            return (*names, *([node.into] if node.into else []))
        case _:
            return ()


def option_ids(node: Node) -> list[str]:
    """The ids of a node's own buttons, and of the texts said after an act."""
    match node:
        case Choose() | Ask():
            return [option.id for option in node.options]
        case Confirm():
            return ["yes", *(f"edit-{name}" for name in node.edit)]
        case Contact():
            return ["contact"]
        case Look():
            acts = (*node.acts, *node.item_acts)
            options = [option.id for option in node.options]
            return [*acts, *(f"{act}-done" for act in acts), *options]
        case Do() | Code():
            return [*node.acts, *(f"{act}-done" for act in node.acts)]
        case End():
            return [*node.repeats]
        case _:
            return []


def call_errors(flows: FlowRegistry, flow: Flow) -> Iterator[str]:
    """Every called flow exists, starts at a question, and has the fields it is given."""
    for call in flow.nodes:
        if not isinstance(call, Call):
            continue
        where = f"{flow.name}.{call.id}"
        other = flows.newest.get(call.flow)
        if other is None:
            yield f"{where}: calls {call.flow}, which is no flow"
            continue
        if (call.at is None) != (call.to is None):
            yield f"{where}: says only one of where it begins and where it comes back to"
        if call.at is not None:
            begins = other.find(call.at)
            if begins is None or not asks_first(other, begins):
                yield f"{where}: begins at {call.flow}.{call.at}, which may do something unasked"
        asked = {node.into for node in other.nodes if isinstance(node, Ask)}
        for name in call.gives if call.at is None else ():
            if name not in asked:
                yield f"{where}: gives {name}, which {call.flow} does not ask for"
        for name in call.gives:
            if name not in other.data.model_fields:
                yield f"{where}: gives {name}, which is no field of {other.data.__name__}"
