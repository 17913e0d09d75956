"""The vocabulary flows are written in: frozen data, with Python only in parsers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from flows.engine.host import Host
from services.domain.partner import Right
from services.domain.refusal import Refusal

Parser = Callable[[str, Host], "Any | Refusal"]


@dataclass(frozen=True)
class Option:
    """One choice. ``set`` gives fields of the data the value of a fact about the person, ``puts``
    a value of its own. One that ``needs`` something is shown only where the desk offers that."""

    id: str
    to: str
    set: Mapping[str, str] = field(default_factory=dict)
    puts: Mapping[str, str] = field(default_factory=dict)
    needs: str | None = None

    @property
    def fills(self) -> tuple[str, ...]:
        return (*self.set, *self.puts)


@dataclass(frozen=True)
class Ask:
    """A typed question. ``suggest`` names values offered as buttons beside it."""

    id: str
    into: str
    parse: Parser
    to: str
    suggest: str | None = None


@dataclass(frozen=True)
class Contact:
    """Asks for the person's own contact; where a channel has none, the number is typed."""

    id: str
    into: str
    to: str


@dataclass(frozen=True)
class Choose:
    """A question answered by a button.

    ``suggest`` adds a button per suggested value, which goes ``into`` a field and on ``to`` a
    node. What is typed is read by the Ask node ``typed``, if one is named and can read it. The
    facts of ``view`` are what the question shows, worked out with ``args``.
    """

    id: str
    options: tuple[Option, ...]
    suggest: str | None = None
    into: str | None = None
    to: str | None = None
    typed: str | None = None
    view: str | None = None
    args: tuple[str, ...] = ()


@dataclass(frozen=True)
class Confirm:
    """Shows what is about to happen; ``edit`` maps a field to the node that asks it again.

    After an edit the flow goes on at ``again``, where what is shown is worked out anew, or else
    comes straight back.
    """

    id: str
    shows: tuple[str, ...]
    yes: str
    edit: Mapping[str, str] = field(default_factory=dict)
    after_edit: str | None = None


@dataclass(frozen=True)
class Code:
    """A secret answer: it goes straight to its use case, and is kept nowhere.

    The use case names an exit, or refuses, and then the question stands. ``operation`` is the
    field with the reference of what the code approves, ``args`` are fields that it is bound to,
    and ``acts`` are its buttons. Whoever comes back to the question asks ``stands`` first, which
    names an exit when the code has ended meanwhile.
    """

    id: str
    use_case: str
    operation: str
    on: Mapping[str, str]
    status_use_case: str
    args: tuple[str, ...] = ()
    acts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Do:
    """A use case by name: an exit at once, or a wait for the operation that it began.

    While it waits, ``acts`` are its buttons: option id → use case on the operation.
    ``operation`` is the field with the reference of the operation that it goes on with, and
    ``gives`` names the fields that an exit fills.
    """

    id: str
    use_case: str
    args: tuple[str, ...]
    on: Mapping[str, str]
    money: bool = False
    waits: bool = False
    acts: Mapping[str, str] = field(default_factory=dict)
    operation: str | None = None
    gives: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


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
class Call:
    """Another flow first: it begins at its node ``at`` with ``gives`` (its field → ours).

    This one is parked meanwhile, and goes on at ``to`` when its person comes back to it.
    """

    id: str
    flow: str
    at: str
    gives: Mapping[str, str]
    to: str


@dataclass(frozen=True)
class End:
    """The conversation is over; its text is the last word."""

    id: str


Node = Ask | Contact | Choose | Confirm | Code | Do | Look | Call | End


@dataclass(frozen=True)
class Flow:
    """One conversation. A changed flow gets a new ``version``; open ones keep theirs, or go on
    in this one if it ``takes_over`` theirs: every node they can stand at is there, unchanged.

    ``operation`` is the field with the reference of an operation that is begun before anything
    is waited for; ``cancels`` is the use case that lets it go when the flow is left for good.
    One that is not ``in_menu`` is opened by its command only.

    ``needs`` is the right without which nobody gets in; ``None`` lets strangers in too. It opens
    by ``command`` (its name, if left out), and what follows the command answers its first
    question where it ``takes_argument``.
    """

    name: str
    version: int
    data: type[BaseModel]
    start: str
    nodes: tuple[Node, ...]
    needs: Right | None = Right.VIEW
    ussd: bool = False
    compatible_versions: tuple[int, ...] = ()
    operation: str | None = None
    cancel_use_case: str | None = None
    in_menu: bool = True
    command: str | None = None
    takes_argument: bool = False

    @property
    def command_word(self) -> str:
        return self.command or self.name

    def node(self, node_id: str) -> Node:
        """Raises ``KeyError`` for an id that no node has."""
        return self._by_id[node_id]

    @cached_property
    def _by_id(self) -> Mapping[str, Node]:
        return {node.id: node for node in reversed(self.nodes)}  # of two with one id the first

    @cached_property
    def is_read_only(self) -> bool:
        """Nothing in it is lost when it is left."""
        return all(isinstance(node, Look) for node in self.nodes)
