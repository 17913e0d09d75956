"""The vocabulary of flows: frozen data; the only code in it is parsers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from flows.engine.host import Host
from services.domain.partner import Right
from services.domain.refusal import Refusal

Parser = Callable[[str, Host], "Any | Refusal"]


@dataclass(frozen=True)
class Option:
    """One choice. ``set`` fills fields with facts about the person, ``puts`` with fixed values. One
    with ``needs`` is shown only if the host offers that, one with a ``right`` only to
    people who have it, and one that is not for ``ussd`` nowhere on the menu of a phone."""

    id: str
    to: str
    set: Mapping[str, str] = field(default_factory=dict)
    puts: Mapping[str, str] = field(default_factory=dict)
    needs: str | None = None
    right: Right | None = None
    ussd: bool = True

    @property
    def fills(self) -> tuple[str, ...]:
        return (*self.set, *self.puts)


@dataclass(frozen=True)
class Ask:
    """A typed question. ``suggest`` names values offered as buttons, computed from the fields
    ``args``; ``options`` stand beside it.

    With ``free_text`` every line is an answer, whatever it says. One that may come ``early`` is
    also read from a command before its turn, and is not asked again.
    """

    id: str
    into: str
    parse: Parser
    to: str
    suggest: str | None = None
    free_text: bool = False
    early: bool = False
    options: tuple[Option, ...] = ()
    args: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contact:
    """Asks for the person's own contact; on channels without contacts the number is typed."""

    id: str
    into: str
    to: str


@dataclass(frozen=True)
class Choose:
    """A question answered by a button.

    ``suggest`` adds a button per suggested value, which goes ``into`` a field and leads ``to`` a
    node; they stand behind the options, or before them if ``suggested_first``. Typed text is read
    by the Ask node ``typed``, if there is one and it accepts the text. The question shows the facts
    of ``view``, which is loaded with ``args``. One that ``is_menu`` has nothing to cancel: its way
    out is "done".
    """

    id: str
    options: tuple[Option, ...]
    suggest: str | None = None
    into: str | None = None
    to: str | None = None
    typed: str | None = None
    view: str | None = None
    args: tuple[str, ...] = ()
    suggested_first: bool = False
    is_menu: bool = False


@dataclass(frozen=True)
class Confirm:
    """Shows what is about to happen; ``edit`` maps a field to the node that asks for it again.

    After an edit the flow continues at ``after_edit``, which recomputes what is shown, or else
    comes straight back. ``view`` is loaded with ``args``; the label of the yes may use its facts
    too. At one that ``waits_for_others`` it has been asked for, and somebody else decides.
    """

    id: str
    shows: tuple[str, ...]
    yes: str
    edit: Mapping[str, str] = field(default_factory=dict)
    after_edit: str | None = None
    view: str | None = None
    args: tuple[str, ...] = ()
    waits_for_others: bool = False


class SecretKind(StrEnum):
    """What a Code reads."""

    CODE = "code"  # of one time: six digits that were sent
    PIN = "pin"  # the person's own: a desk PIN, four to six digits


@dataclass(frozen=True)
class Code:
    """A secret answer: it is passed to its use case and stored nowhere.

    The use case names an exit, or refuses and the question stays open. ``operation`` is the field
    with the reference of what the code approves, ``args`` are the fields it is bound to, and
    ``acts`` are its buttons. When somebody returns to the question, ``status_use_case`` runs first
    and names an exit if the code has ended meanwhile. At one that ``reads`` a PIN nothing has been
    sent yet, so "back" leads to the question before.
    """

    id: str
    use_case: str
    operation: str
    on: Mapping[str, str]
    status_use_case: str
    args: tuple[str, ...] = ()
    acts: Mapping[str, str] = field(default_factory=dict)
    reads: SecretKind = SecretKind.CODE


@dataclass(frozen=True)
class Do:
    """Runs a use case, which exits at once or begins an operation to wait for.

    While it waits, ``acts`` are its buttons: option id → use case on the operation. ``operation``
    is the field with the reference of an operation it continues, and ``gives`` names the fields
    that each exit fills. When somebody comes back by dialling, ``status_use_case`` runs first and
    names an exit if the operation has ended meanwhile.
    """

    id: str
    use_case: str
    args: tuple[str, ...]
    on: Mapping[str, str]
    money: bool = False
    acts: Mapping[str, str] = field(default_factory=dict)
    operation: str | None = None
    gives: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    status_use_case: str | None = None


@dataclass(frozen=True)
class Look:
    """A read-only page, redrawn in place.

    ``acts`` are use cases on what is shown, ``item_acts`` on one item of a list; a tapped item goes
    ``into`` a field and leads ``to`` a node. ``options`` lead elsewhere.
    """

    id: str
    view: str
    args: tuple[str, ...] = ()
    acts: Mapping[str, str] = field(default_factory=dict)
    item_acts: Mapping[str, str] = field(default_factory=dict)
    into: str | None = None
    to: str | None = None
    options: tuple[Option, ...] = ()


@dataclass(frozen=True)
class Call:
    """Runs another flow first, from its node ``at``, with ``gives`` (its field → ours).

    This flow is parked meanwhile and continues at ``to`` when the person returns to it. Without
    ``at`` and ``to`` it is over, and the other flow begins with the values as if they had been
    typed: its own questions read them.
    """

    id: str
    flow: str
    gives: Mapping[str, str]
    at: str | None = None
    to: str | None = None


@dataclass(frozen=True)
class End:
    """The end of the conversation, with its last text and what can be done next: some of the flow's
    ``repeats``, and other flows that it ``opens``. Without either it shows the main menu."""

    id: str
    repeats: tuple[str, ...] = ()
    opens: tuple[str, ...] = ()


@dataclass(frozen=True)
class Repeat:
    """Opens ``flow``, or the same one again, ``at`` a question, with those values of an ended
    operation that ``fills`` names."""

    at: str
    fills: tuple[str, ...]
    flow: str | None = None


def shown_options(node: Ask | Choose | Look, host: Host) -> Iterator[Option]:
    """The options that this person can use here."""
    for option in node.options:
        is_there = option.needs is None or host.offers(option.needs)
        is_there = is_there and (option.ussd or not host.channel.phone_menu)
        if is_there and (option.right is None or host.has_right(option.right)):
            yield option


Node = Ask | Contact | Choose | Confirm | Code | Do | Look | Call | End


@dataclass(frozen=True)
class Flow:
    """One conversation. A changed flow gets a new ``version``. Open conversations keep theirs, or
    continue in this one if it lists theirs in ``compatible_versions``: every node they can be at
    must still exist, unchanged.

    ``operation`` is the field with the reference of an operation that is begun before it is waited
    for; ``cancel_use_case`` cancels it when the flow is abandoned. A flow that is not ``in_menu``
    is opened by its command only; one that came ``after_help`` stands behind it there, so that the
    numbers that people know stay.

    ``repeats`` are the options of its Ends that go back to an operation. The first Repeat of an
    option whose values are all known is taken.

    ``needs`` is the right required to enter; ``None`` admits strangers too. ``command`` defaults to
    the name; of two flows with one, that which ``takes_argument`` is for a command with values. One
    that has no command is only led to by the engine. Without ``takes_values`` nothing behind its
    command is read, because answers there act at once. While something waits in it, as the count
    ``counted_by`` says, it stands first in the menu, with the number.

    A file that somebody sends begins the one flow that has a ``file_node``, there. What was begun
    and left at a node of ``goes_on_at`` goes on by itself: opened again, the flow starts at its
    first node, which leads there.

    Only one for ``ussd`` can be opened on the menu of a phone, and each of its screens fits there.
    One with a ``phone_count`` is in that menu only while the count says that something waits.
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
    after_help: bool = False
    command: str | None = None
    takes_argument: bool = False
    has_command: bool = True
    takes_values: bool = True
    file_node: str | None = None
    goes_on_at: tuple[str, ...] = ()
    repeats: Mapping[str, tuple[Repeat, ...]] = field(default_factory=dict)
    counted_by: str | None = None
    phone_count: str | None = None

    @property
    def command_word(self) -> str:
        return self.command or self.name

    @property
    def entries(self) -> tuple[str, ...]:
        """Where it can begin without anything known: its first node, and that for files."""
        return (self.start,) if self.file_node is None else (self.start, self.file_node)

    @property
    def own_repeats(self) -> tuple[Repeat, ...]:
        """Those that open this flow again."""
        ways = (way for option in self.repeats.values() for way in option)
        return tuple(way for way in ways if way.flow is None)

    def node(self, node_id: str) -> Node:
        """Raises ``KeyError`` for an unknown id."""
        return self._by_id[node_id]

    def find(self, node_id: str) -> Node | None:
        return self._by_id.get(node_id)

    def ask_for(self, field_name: str) -> Ask | None:
        """The question that reads this field, if it is typed."""
        return next((n for n in self.nodes if isinstance(n, Ask) and n.into == field_name), None)

    @cached_property
    def _by_id(self) -> Mapping[str, Node]:
        # The first one wins if an id is repeated.
        return {node.id: node for node in reversed(self.nodes)}

    @cached_property
    def is_read_only(self) -> bool:
        """Leaving it loses nothing."""
        return all(isinstance(node, Look) for node in self.nodes)
