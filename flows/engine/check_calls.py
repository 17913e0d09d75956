"""Checks that flows call only what is declared, with the right arguments and rights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import NoneType
from typing import NamedTuple

from flows.engine.check_structure import targets
from flows.engine.check_texts import known_fields
from flows.engine.declarations import (
    FILLED,
    Declaration,
    Declarations,
    HandlerKind,
    is_reference,
    without_none,
)
from flows.engine.nodes import Ask, Choose, Code, Confirm, Do, Flow, Look, Node
from services.domain.partner import RIGHTS, Right


class Call(NamedTuple):
    """``operation`` is the field with what is passed as ``operation``, if there is one."""

    kind: HandlerKind
    name: str
    fields: Sequence[str] = ()
    operation: str | None = None


def calls(flow: Flow, node: Node) -> Iterator[Call]:
    """What the node calls, except the progress of an operation, whose kind is known later."""
    match node:
        case Do():
            yield Call(HandlerKind.USE_CASE, node.use_case, node.args, node.operation)
            for action in node.acts.values():
                yield Call(HandlerKind.ACTION, action)
            if node.status_use_case is not None:
                yield Call(HandlerKind.ACTION, node.status_use_case)
        case Code():
            yield Call(HandlerKind.CODE_CHECK, node.use_case, node.args, node.operation)
            for action in (node.status_use_case, *node.acts.values()):
                yield Call(HandlerKind.ACTION, action, operation=node.operation)
        case Look():
            yield Call(HandlerKind.VIEW, node.view, node.args)
            for action in node.acts.values():
                yield Call(HandlerKind.ACTION, action, operation=node.args[0])
            for action in node.item_acts.values():
                yield Call(HandlerKind.ACTION, action)
        case Choose() | Confirm() if node.view is not None:
            yield Call(HandlerKind.VIEW, node.view, node.args)
    if isinstance(node, Ask | Choose) and node.suggest is not None:
        yield Call(HandlerKind.SUGGESTION, node.suggest, node.args)


def handler_errors(flow: Flow, nodes: Mapping[str, Node], declared: Declarations) -> Iterator[str]:
    known, ways = known_fields(flow, nodes), _rights_on_the_way(flow, nodes)
    for node in nodes.values():
        where = f"{flow.name}.{node.id}"
        for call in calls(flow, node):
            handler = declared.get(call.kind, call.name)
            if handler is None:
                yield f"{where}: there is no {call.kind} {call.name}"
                continue
            yield from _argument_errors(where, flow, call, handler, known[node.id])
            yield from _right_errors(where, flow, handler)
        yield from _money_errors(where, node, nodes, declared)
        if isinstance(node, Do):
            yield from _way_errors(where, flow, node, ways[node.id], declared)
        yield from _reference_errors(where, flow, node)
    if flow.cancel_use_case is not None:
        handler = declared.get(HandlerKind.ACTION, flow.cancel_use_case)
        if handler is None:
            yield f"{flow.name}: there is no action {flow.cancel_use_case}"
        else:
            yield from _right_errors(flow.name, flow, handler)


def count_errors(flow: Flow, declared: Declarations) -> Iterator[str]:
    """What waits in the flow can be counted, by whoever may enter it."""
    for name in filter(None, (flow.counted_by, flow.phone_count)):
        handler = declared.get(HandlerKind.COUNT, name)
        if handler is None:
            yield f"{flow.name}: there is no {HandlerKind.COUNT} {name}"
            continue
        yield from _right_errors(flow.name, flow, handler)
        if handler.parameters:
            yield f"{flow.name}: {HandlerKind.COUNT} {name} takes nothing"


def _argument_errors(
    where: str, flow: Flow, call: Call, handler: Declaration, known: frozenset[str]
) -> Iterator[str]:
    """A handler gets each parameter from a field of its type, which is set on every path unless
    the parameter may be ``None``."""
    what = f"{call.kind} {call.name}"
    for name in sorted(set(call.fields) & FILLED[call.kind]):
        yield f"{where}: {name} is filled by the engine, and cannot be a field for {what}"
    sources = {name: name for name in call.fields} | (
        {} if call.operation is None else {"operation": call.operation}
    )
    wanted = handler.fields | ({"operation"} & set(handler.parameters) & set(sources))
    for name in sorted(handler.fields - set(call.fields)):
        yield f"{where}: does not give {name} to {what}"
    if call.kind is HandlerKind.USE_CASE and call.operation is None:
        if not without_none(handler.parameters.get("operation", NoneType))[1]:
            yield f"{where}: does not name the operation that {what} continues"
    elif call.operation is not None and "operation" not in handler.parameters:
        yield f"{where}: {what} takes no operation"
    for name in sorted(wanted & set(sources)):
        field = sources[name]
        if field not in flow.data.model_fields:
            continue  # reported elsewhere
        types, optional = without_none(handler.parameters[name])
        given, _ = without_none(flow.data.model_fields[field].annotation)
        if types != given:
            yield f"{where}: {field} is not of the type that {what} takes as {name}"
        if not optional and call.kind is not HandlerKind.SUGGESTION and field not in known:
            yield f"{where}: {field} is not set on every path, but {what} needs it"


def _right_errors(where: str, flow: Flow, handler: Declaration) -> Iterator[str]:
    """Who may be in the flow may see what it shows; an admin's flow calls only what is for admins,
    since it may name any partner; and nothing is open to strangers but their own flow."""
    what = f"{handler.kind} {handler.name}"
    is_shown = handler.kind in (HandlerKind.VIEW, HandlerKind.SUGGESTION, HandlerKind.COUNT)
    if handler.needs is None:
        if flow.needs is not None and not (is_shown and not handler.parameters):
            yield f"{where}: {what} needs no right, but the flow does"
    elif (flow.needs is Right.ADMIN) != (handler.needs is Right.ADMIN):
        yield f"{where}: only one of {what} and the flow is for admins"
    elif flow.needs is None:
        yield f"{where}: {what} needs a right, but strangers may enter the flow"
    elif is_shown and not _implies(flow.needs, handler.needs):
        yield f"{where}: {what} needs more than the flow"


def _rights_on_the_way(flow: Flow, nodes: Mapping[str, Node]) -> dict[str, frozenset[Right]]:
    """By node: the rights that everybody has who was shown the way there."""
    begins = frozenset() if flow.needs is None else frozenset({flow.needs})
    known = dict.fromkeys(nodes, frozenset(Right))
    known[flow.start] = begins
    while True:
        before = dict(known)
        for node in nodes.values():
            options = node.options if isinstance(node, Ask | Choose | Look) else ()
            for option in options:
                more = frozenset() if option.right is None else frozenset({option.right})
                known[option.to] &= known[node.id] | more
            for target in set(targets(node)) - {option.to for option in options}:
                known[target] &= known[node.id]
        known[flow.start] &= begins
        if known == before:
            return known


def _way_errors(
    where: str, flow: Flow, node: Do, rights: frozenset[Right], declared: Declarations
) -> Iterator[str]:
    """Nobody is shown an option, and then refused what it leads to."""
    handler = declared.get(HandlerKind.USE_CASE, node.use_case)
    if handler is None or handler.needs is None:
        return
    if not any(_implies(right, handler.needs) for right in rights):
        yield f"{where}: {node.use_case} needs more than what leads there is shown to"


def _implies(has: Right, needs: Right) -> bool:
    if Right.ADMIN in (has, needs):
        return has is needs
    return all(needs in rights for rights in RIGHTS.values() if has in rights)


def _money_errors(
    where: str, node: Node, nodes: Mapping[str, Node], declared: Declarations
) -> Iterator[str]:
    """What moves money, and the code that approves it, need the right to move money."""
    match node:
        case Do() if node.money:
            handler = declared.get(HandlerKind.USE_CASE, node.use_case)
        case Code() if any(_moves_money(nodes[target]) for target in node.on.values()):
            handler = declared.get(HandlerKind.CODE_CHECK, node.use_case)
        case _:
            return
    if handler is not None and handler.needs not in (Right.MOVE_MONEY, Right.ADMIN):
        yield f"{where}: moves money, but {handler.name} does not need the right to"


def _moves_money(node: Node) -> bool:
    return isinstance(node, Do) and node.money


def _reference_errors(where: str, flow: Flow, node: Node) -> Iterator[str]:
    """What a person picks from a list, and what a flow's operation is, is a ``Reference``: so its
    partner is checked wherever it is passed on."""
    names = {flow.operation} if isinstance(node, Code) else set[str | None]()
    if isinstance(node, Look) and flow.needs is not Right.ADMIN:
        names.add(node.into)
    for name in names - {None}:
        field = flow.data.model_fields.get(str(name))
        if field is not None and not is_reference(field.annotation):
            yield f"{where}: {name} names an operation, but is no Reference"
