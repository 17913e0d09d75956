"""Static checks of the flows, run when the program opens and as a test."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from flows.engine.check_sms import sms_errors
from flows.engine.nodes import Ask, Call, Choose, Code, Confirm, Contact, Do, End, Flow, Look, Node
from flows.engine.session import FlowRegistry
from flows.engine.texts import Texts, placeholders
from services.domain.partner import Right

CALLBACK_BYTES = 64  # facts: channels, Telegram
TURN_DIGITS = 12
OPTION = re.compile(r"[a-z0-9-]{1,48}")
SHOWN_ALWAYS = frozenset({"name", "partner", "my_phone", "bank"})
# What the host gives beside the data: by use case while waiting and for its exits, by view.
PROGRESS_FACTS = {
    "start_topup": frozenset({"reference", "status"}),
    "start_another_topup": frozenset({"reference", "status"}),
    "expect_topup": frozenset({"reference", "status", "paybill", "account"}),
    "check_topup_code": frozenset({"sent_to", "until"}),
    "check_join_code": frozenset({"sent_to", "until"}),
    "check_number_code": frozenset({"sent_to", "until"}),
    "check_mail_code": frozenset({"sent_to", "until"}),
    "check_float_code": frozenset({"reference", "sent_to", "until"}),
    "buy_float": frozenset({"reference", "status"}),
    "request_document": frozenset({"reference", "status"}),
    "export_document": frozenset({"reference", "status"}),
    "chart_activity": frozenset({"reference", "status"}),
}
END_FACTS = {
    "topup": frozenset({"reference", "amount", "phone", "at", "balance", "reason"}),
    "statement": frozenset({"reference", "partner"}),
    "export": frozenset({"reference", "partner"}),
    "stats": frozenset({"reference", "period"}),
    "float": frozenset(
        {"reference", "amount", "fees", "total", "at", "balance", "float", "reason"}
    ),
}
REFUSED = frozenset({"reason"})
RESERVED = frozenset({"back", "cancel", "menu", "refresh", "more", "newer", "continue", "restart"})
VIEW_FACTS = {
    "partners": frozenset({"lines"}),
    "own_people": frozenset({"code", "lines"}),
    "people": frozenset({"code", "lines"}),
    "approvals": frozenset({"lines"}),
    "approval": frozenset({"reference", "who", "amount", "fees", "total", "status"}),
    "partner": frozenset({"code", "state", "wallet", "available", "float", "mark", "people"}),
    "balance": frozenset({"partner", "at", "wallet", "available", "float", "low"}),
    "history": frozenset({"partner", "lines"}),
    "settings": frozenset(
        {
            "partner",
            "wallet_mark",
            "float_mark",
            "notices",
            "language",
            "phones",
            "number",
            "email",
            "second",
        }
    ),
    "notices": frozenset({"notices"}),
    "notice": frozenset({"notice"}),
    "phones": frozenset({"phones"}),
    "fees": frozenset({"code", "transfer", "processing"}),
    "limits": frozenset({"code", "lines"}),
    "unknown": frozenset({"reference", "what", "code", "state", "since", "evidence"}),
    "suspended": frozenset(
        {"reference", "amount", "payer", "account", "receipt", "at", "why", "may_be_of"}
    ),
    "finding": frozenset({"reference", "why", "what"}),
    "proposals": frozenset({"lines"}),
    "proposal": frozenset(
        {"proposal", "what", "code", "about", "amount", "reason", "by", "at", "status"}
    ),
    "operation": frozenset({"reference", "what", "state", "reason", "begun", "settled", "receipt"}),
    "balance_of": frozenset({"partner", "at", "wallet", "available", "float", "low"}),
    "history_of": frozenset({"partner", "lines"}),
    "operation_of": frozenset(
        {"reference", "what", "state", "reason", "begun", "settled", "receipt"}
    ),
    "found": frozenset({"lines"}),
    "timeline": frozenset({"reference", "what", "lines"}),
    "pending": frozenset({"lines"}),
    "audit": frozenset({"lines"}),
    "codes": frozenset({"lines", "lock"}),
    "own_blocks": frozenset({"lines"}),
    "desk_blocks": frozenset({"lines"}),
    "desk_block": frozenset({"phone", "whose"}),
    "jobs": frozenset({"lines"}),
    "stats": frozenset({"lines"}),
    "screens": frozenset({"lines"}),
    "broadcast": frozenset({"broadcast", "state", "told", "by", "at"}),
    "api_keys": frozenset({"code", "lines"}),
    "api_key": frozenset({"key", "scopes", "state", "by", "made", "used"}),
    "days": frozenset({"lines"}),
    "floods": frozenset({"lines"}),
    "flood": frozenset({"who", "at", "state"}),
    "health": frozenset(
        {"at", "size", "waiting", "outbox", "open", "unknown", "reviews", "answers", "audit"}
    ),
}


class InvalidFlow(Exception):
    """A flow that cannot be right; one line a fault."""


@cache
def check(flows: FlowRegistry, texts: Texts) -> None:
    """Raises ``InvalidFlow`` with every fault found; what was found sound is not looked at
    again."""
    found = [fault for flow in flows for fault in flow_errors(flow, texts)]
    found += [fault for flow in flows for fault in _calls(flows, flow)]
    found += [fault for flow in flows for fault in _named(flow, texts)]
    found += _same_keys(texts)
    found += sms_errors(flows, texts)
    if found:
        raise InvalidFlow("\n".join(found))


def _named(flow: Flow, texts: Texts) -> Iterator[str]:
    """A menu and the help can name it."""
    keys = [f"menu.{flow.name}"]
    keys += [] if flow.needs is None else [f"command.{flow.name}"]
    for language in texts.languages:
        for key in keys:
            if not texts.has(language, key):
                yield f"{language}: {key} is missing"


def _calls(flows: FlowRegistry, flow: Flow) -> Iterator[str]:
    """Every sub-flow is there, begins at a question, and has the fields that it is given."""
    for call in flow.nodes:
        if not isinstance(call, Call):
            continue
        where = f"{flow.name}.{call.id}"
        other = flows.newest.get(call.flow)
        if other is None:
            yield f"{where}: calls {call.flow}, which is no flow"
            continue
        begins = next((node for node in other.nodes if node.id == call.at), None)
        if not isinstance(begins, Ask | Choose | Look):
            yield f"{where}: begins at {call.flow}.{call.at}, which asks nothing"
        for name in call.gives:
            if name not in other.data.model_fields:
                yield f"{where}: gives {name}, which is no field of {other.data.__name__}"


def flow_errors(flow: Flow, texts: Texts) -> Iterator[str]:
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
        case Ask() | Contact():
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
            return (node.to,)
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
        if not OPTION.fullmatch(option):
            yield f"{where}: option {option} is not of a-z, 0-9 and -, as taps carry"
    used: Iterable[str] = ()
    match node:
        case Ask() | Contact():
            used = (node.into,)
        case Choose():
            used = [name for option in node.options for name in option.fills]
            used = [*used, *node.args, *([node.into] if node.into else [])]
            if node.view is not None and node.view not in VIEW_FACTS:
                yield f"{where}: there is no view {node.view}"
            if node.typed is not None and not isinstance(nodes[node.typed], Ask):
                yield f"{where}: {node.typed} does not read what is typed"
        case Confirm():
            used = (*node.shows, *node.edit)
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
            yield from _do(flow, nodes, node)
        case Call():
            used = tuple(node.gives.values())
        case Look():
            used = (*node.args, *([node.into] if node.into else []))
            if node.view not in VIEW_FACTS:
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
    yield from _confirmed(flow, nodes, node, set(node.args), where, {node.id})


def _confirmed(
    flow: Flow, nodes: dict[str, Node], node: Node, args: set[str], where: str, seen: set[str]
) -> Iterator[str]:
    """Every way into ``node`` passes a Confirm's yes that shows the args: at once, or with only a
    Code or a Do that waits for nothing in between."""
    for other in nodes.values():
        if node.id not in targets(other):
            continue
        passes_on = isinstance(other, Code) or (isinstance(other, Do) and not other.waits)
        if isinstance(other, Do) and passes_on:
            for exit_name, target in other.on.items():
                for name in sorted(args & set(other.gives.get(exit_name, ()))):
                    if target == node.id:
                        yield f"{where}: moves money, but {other.id} changes {name} after the yes"
        if passes_on and other.id != flow.start:
            if other.id not in seen:
                yield from _confirmed(flow, nodes, other, args, where, seen | {other.id})
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
    """The fields that a question can answer by itself."""
    match node:
        case Ask() | Contact():
            return (node.into,)
        case Choose():
            names = [name for option in node.options for name in option.fills]
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
        case Contact():
            return ["contact"]
        case Do() | Look() | Code():
            return [*node.acts, *(f"{act}-done" for act in node.acts)]
        case _:
            return []


def _texts(flow: Flow, nodes: dict[str, Node], texts: Texts) -> Iterator[str]:
    known = _known(flow, nodes)
    # Strangers, and admins who are nobody's person, have no partner of their own.
    always = frozenset() if flow.needs in (None, Right.ADMIN) else SHOWN_ALWAYS
    for language in texts.languages:
        for node in flow.nodes:
            silent = isinstance(node, Call) or (isinstance(node, Do) and not node.waits)
            asks = set() if silent else {"ask"}
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
                for missing in sorted(wanted - known[node.id] - always):
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
        if isinstance(node, Do | Code):
            added[node.id] |= PROGRESS_FACTS.get(node.use_case, frozenset())
            outcome = END_FACTS.get(flow.name, frozenset())
            for exit_name, target in node.on.items():
                if isinstance(nodes[target], End):
                    added[target] |= REFUSED if exit_name == "refused" else outcome
        if isinstance(node, Look | Choose) and node.view is not None:
            added[node.id] |= VIEW_FACTS.get(node.view, frozenset())
    return {node_id: known[node_id] | added[node_id] for node_id in nodes}


def _gives(node: Node) -> Iterator[tuple[str, frozenset[str]]]:
    match node:
        case Ask() | Contact():
            yield node.to, frozenset({node.into})
        case Choose():
            for option in node.options:
                yield option.to, frozenset(option.fills)
            if node.to is not None and node.into is not None:
                yield node.to, frozenset({node.into})
            if node.typed is not None:
                yield node.typed, frozenset()
        case Look():
            if node.to is not None and node.into is not None:
                yield node.to, frozenset({node.into})
        case Do():
            for exit_name, target in node.on.items():
                yield target, frozenset(node.gives.get(exit_name, ()))
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
