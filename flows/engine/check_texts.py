"""Checks that every text exists in every language and uses only facts that are always known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flows.engine.check_structure import option_ids, targets
from flows.engine.declarations import Declarations, HandlerKind, waits
from flows.engine.nodes import Ask, Call, Choose, Code, Confirm, Contact, Do, End, Flow, Look, Node
from flows.engine.session import FlowRegistry
from flows.engine.texts import SHORT, Texts, placeholders
from services.domain.partner import Right

SHOWN_ALWAYS = frozenset({"name", "partner", "my_phone", "bank"})  # facts that any text may use
OF_ITEM = frozenset({"item"})  # what the label of an act on an item may say
REFUSED = frozenset({"reason"})  # facts of a refusal's End


def text_errors(
    flow: Flow, nodes: Mapping[str, Node], texts: Texts, declared: Declarations
) -> Iterator[str]:
    known = _known(flow, nodes, declared)
    # Strangers, and admins who are nobody's staff, have no partner of their own.
    always = frozenset() if flow.needs in (None, Right.ADMIN) else SHOWN_ALWAYS
    for language in texts.languages:
        for node in flow.nodes:
            passes = isinstance(node, Do) and not waits(declared, node.use_case)
            silent = passes or isinstance(node, Call)
            asks = set() if silent else {"ask"}
            for name in (*sorted(asks), *option_ids(node)):
                key = f"{flow.name}.{node.id}.{name}"
                if not texts.has(language, key):
                    yield f"{language}: {key} is missing"
                    continue
                sentence = texts.keys(language)[key]
                wanted = placeholders(sentence)
                if texts.has(language, SHORT + key):
                    wanted |= placeholders(texts.keys(language)[SHORT + key])
                if isinstance(node, Confirm) and name == "ask":
                    for wording in filter(texts.keys(language).get, (key, SHORT + key)):
                        shown = placeholders(texts.keys(language)[wording])
                        for unsaid in sorted(set(node.shows) - shown):
                            yield f"{language}: {wording} does not say {unsaid}"
                if name != "ask" and not isinstance(node, Choose):
                    # The yes has the facts of its view, an act its item; other buttons none.
                    said = _viewed(node, declared) if name == "yes" else frozenset()
                    if isinstance(node, Look) and name in node.item_acts:
                        said = OF_ITEM
                    for extra in sorted(wanted - said):
                        yield f"{language}: {key} cannot say {extra}"
                    continue
                for missing in sorted(wanted - known[node.id] - always):
                    yield f"{language}: {key} wants {missing}, which not every path gives"


def known_fields(flow: Flow, nodes: Mapping[str, Node]) -> dict[str, frozenset[str]]:
    """By node: the fields set on every path to it."""
    everything = frozenset(flow.data.model_fields)
    known = dict.fromkeys(nodes, everything)
    for entry in flow.entries:
        known[entry] = frozenset()
    while True:
        before = dict(known)
        for node in nodes.values():
            for target, gives in _gives(node):
                if target not in flow.entries:
                    known[target] &= known[node.id] | gives
        for repeat in flow.own_repeats:
            if repeat.at in known:
                known[repeat.at] &= frozenset(repeat.fills)
        if known == before:
            return known


def _known(
    flow: Flow, nodes: Mapping[str, Node], declared: Declarations
) -> dict[str, frozenset[str]]:
    """By node: the fields set on every path to it, plus the facts the host adds there."""
    known = known_fields(flow, nodes)
    added: dict[str, frozenset[str]] = {node_id: frozenset() for node_id in nodes}
    for node in nodes.values():
        if isinstance(node, Do | Code):
            kind = HandlerKind.USE_CASE if isinstance(node, Do) else HandlerKind.CODE_CHECK
            handler = declared.get(kind, node.use_case)
            if handler is not None:
                added[node.id] |= handler.shows
            for exit_name, target in node.on.items():
                if not isinstance(nodes[target], End):
                    continue
                if exit_name == "refused":
                    added[target] |= REFUSED
                elif handler is not None:
                    added[target] |= handler.tells
        added[node.id] |= _viewed(node, declared)
    return {node_id: known[node_id] | added[node_id] for node_id in nodes}


def _viewed(node: Node, declared: Declarations) -> frozenset[str]:
    if not isinstance(node, Look | Choose | Confirm) or node.view is None:
        return frozenset()
    view = declared.get(HandlerKind.VIEW, node.view)
    return frozenset() if view is None else view.shows


def _gives(node: Node) -> Iterator[tuple[str, frozenset[str]]]:
    match node:
        case Ask() | Contact():
            yield node.to, frozenset({node.into})
        case Choose():
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
    if isinstance(node, Ask | Choose | Look):
        for option in node.options:
            yield option.to, frozenset(option.fills)


def language_errors(texts: Texts) -> Iterator[str]:
    """All languages have the same keys and use the same placeholders. Which of them has to be said
    in fewer words on a phone differs."""
    every = {
        key
        for language in texts.languages
        for key in texts.keys(language)
        if not key.startswith(SHORT)
    }
    for key in sorted(every):
        have = [language for language in texts.languages if texts.has(language, key)]
        for language in set(texts.languages) - set(have):
            yield f"{language}: {key} is missing"
        wanted = {language: placeholders(texts.keys(language)[key]) for language in have}
        common = set.intersection(*wanted.values())
        for language in have:
            for name in sorted(wanted[language] - common):
                yield f"{language}: {key} says {name}, which another language does not"


def text_name_errors(flow: Flow, texts: Texts) -> Iterator[str]:
    """The menu and the help have a name for it."""
    keys = [f"menu.{flow.name}"]
    keys += [f"command.{flow.name}"] if flow.needs is not None and flow.has_command else []
    for language in texts.languages:
        for key in keys:
            if not texts.has(language, key):
                yield f"{language}: {key} is missing"


def group_errors(flows: FlowRegistry, texts: Texts) -> Iterator[str]:
    """Each command stands under one heading of the help, and each heading has its words."""
    members = [name for group in flows.groups.values() for name in group]
    for name in sorted(set(members)):
        if members.count(name) > 1:
            yield f"{name}: stands in the help twice"
        if name not in flows.newest:
            yield f"{name}: stands in the help, but is no flow"
    for flow in flows.newest.values() if flows.groups else ():
        if flow.needs is not None and flow.has_command and flow.name not in members:
            yield f"{flow.name}: stands under no heading of the help"
    for group in flows.groups:
        for language in texts.languages:
            if not texts.has(language, f"help.groups.{group}"):
                yield f"{language}: help.groups.{group} is missing"
