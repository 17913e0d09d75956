"""The vocabulary flows are written in: frozen data, with Python only in parsers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from flows.host import Host
from services.domain.refusal import Refusal

Parser = Callable[[str, Host], "Any | Refusal"]


@dataclass(frozen=True)
class Option:
    """One choice. ``set`` gives fields of the data the value of a fact about the person."""

    id: str
    to: str
    set: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ask:
    """A typed question. ``suggest`` names values offered as buttons beside it."""

    id: str
    into: str
    parse: Parser
    to: str
    suggest: str | None = None


@dataclass(frozen=True)
class Choose:
    """A question answered by a button.

    ``suggest`` adds a button per suggested value, which goes ``into`` a field and on ``to`` a
    node. What is typed is read by the Ask node ``typed``, if one is named and can read it.
    """

    id: str
    options: tuple[Option, ...]
    suggest: str | None = None
    into: str | None = None
    to: str | None = None
    typed: str | None = None


@dataclass(frozen=True)
class Confirm:
    """Shows what is about to happen; ``edit`` maps a field to the node that asks it again."""

    id: str
    shows: tuple[str, ...]
    yes: str
    edit: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Do:
    """A use case by name: an exit at once, or a wait for the operation that it began.

    While it waits, ``acts`` are its buttons: option id → use case on the operation.
    """

    id: str
    use_case: str
    args: tuple[str, ...]
    on: Mapping[str, str]
    money: bool = False
    waits: bool = False
    acts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Look:
    """A read-only page, redrawn in place.

    ``acts`` are use cases on what is looked at; a tapped item goes ``into`` a field and on
    ``to`` a node.
    """

    id: str
    view: str
    args: tuple[str, ...] = ()
    acts: Mapping[str, str] = field(default_factory=dict)
    into: str | None = None
    to: str | None = None


@dataclass(frozen=True)
class End:
    """The conversation is over; its text is the last word."""

    id: str


Node = Ask | Choose | Confirm | Do | Look | End


@dataclass(frozen=True)
class Flow:
    """One conversation. A changed flow gets a new ``version``; open ones keep theirs."""

    name: str
    version: int
    data: type[BaseModel]
    start: str
    nodes: tuple[Node, ...]
    ussd: bool = False
    moves_money: bool = False

    def node(self, node_id: str) -> Node:
        """Raises ``KeyError`` for an id that no node has."""
        for node in self.nodes:
            if node.id == node_id:
                return node
        raise KeyError(f"{self.name}.{node_id}")

    @property
    def only_looks(self) -> bool:
        """Nothing in it is lost when it is left."""
        return all(isinstance(node, Look) for node in self.nodes)
