"""Draws the flows as Mermaid state diagrams, from the same data the engine runs."""

from __future__ import annotations

from collections.abc import Iterator

from flows.engine.nodes import Ask, Call, Choose, Code, Confirm, Contact, Do, End, Flow, Look, Node


def diagram(flow: Flow) -> str:
    """A ``stateDiagram-v2``; edges are labelled with the option or exit that takes them."""
    lines = ["stateDiagram-v2", f"    [*] --> {flow.start}"]
    for node in flow.nodes:
        lines += [f"    {node.id} --> {to}: {label}" for to, label in _edges(node)]
        if isinstance(node, End):
            lines.append(f"    {node.id} --> [*]")
    return "\n".join(lines)


def _edges(node: Node) -> Iterator[tuple[str, str]]:
    match node:
        case Ask() | Contact():
            yield node.to, node.into
        case Choose():
            if node.to is not None:
                yield node.to, str(node.suggest)
            if node.typed is not None:
                yield node.typed, "typed"
        case Confirm():
            yield node.yes, "yes"
            for field, target in node.edit.items():
                yield target, f"edit-{field}"
        case Do() | Code():
            for exit_name, target in node.on.items():
                yield target, exit_name
        case Look():
            if node.to is not None:
                yield node.to, str(node.into)
        case Call():
            if node.to is not None:
                yield node.to, f"after {node.flow}"
        case End():
            return
    if isinstance(node, Ask | Choose | Look):
        for option in node.options:
            yield option.to, option.id
