"""What the engine needs from its host, within the turn's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple, Protocol

from flows.engine.capabilities import ChannelCapabilities
from services.domain.money import Money
from services.domain.partner import Right
from services.domain.phone import Phone
from services.domain.refusal import Refusal

COUNTED_MAX = 100  # what waits is counted no further


@dataclass(frozen=True, slots=True)
class Exit:
    """A use case has finished: ``name`` is the node's exit, ``facts`` fill the next text, ``sets``
    are the fields this exit gives, and ``above`` is shown above the next question."""

    name: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    sets: Mapping[str, Any] = field(default_factory=dict)
    above: str | None = None


@dataclass(frozen=True, slots=True)
class OperationStarted:
    """A use case began an operation; its outcome comes later."""

    operation: str


class Labelled(NamedTuple):
    """A suggested value that people know by another name than its own form."""

    value: Any
    label: str


class Place(NamedTuple):
    """Where a page stands in its list: the numbers of its first and last entry, and how many there
    are."""

    first: int
    last: int
    total: int


@dataclass(frozen=True, slots=True)
class View:
    """One page of a view. ``items`` are (reference, label) buttons; cursors lead to other pages.

    ``more`` leads to older items and ``newer`` to more recent ones; in a ``timeless`` view they
    lead to the next and the previous page. ``acts`` are those of the node's that make sense now,
    ``item_acts`` by the reference of an item. ``place`` is said where the list has more than what
    is shown; ``None`` where counting would cost too much.
    """

    facts: Mapping[str, Any]
    items: Sequence[tuple[str, str]] = ()
    more: str | None = None
    newer: str | None = None
    timeless: bool = False
    acts: frozenset[str] = frozenset()
    item_acts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Recalled:
    """What an operation was for: the flow that began it, and its values by field."""

    flow: str
    values: Mapping[str, Any]


class Begun(NamedTuple):
    """Where a conversation stands that waits for an operation, or for who decides on it. ``above``
    is said over its question."""

    flow: str
    node: str
    values: Mapping[str, Any]
    operation: str | None = None
    above: str | None = None


class Host(Protocol):
    @property
    def language(self) -> str: ...

    def offers(self, what: str) -> bool:
        """Whether this installation supports what an option needs, or things stand as it needs
        them."""
        ...

    def facts(self) -> Mapping[str, Any]:
        """Facts about the person that any text may use, such as ``my_phone``."""
        ...

    def entry_refusal(self) -> Refusal | None:
        """Why this address may not use the bot at all; ``None`` if it may."""
        ...

    @property
    def channel(self) -> ChannelCapabilities:
        """What the channel of this event can do."""
        ...

    def has_right(self, needs: Right | None) -> bool:
        """Whether the person can see flows that need this right."""
        ...

    def owns(self, needs: Right | None, operation: str) -> bool:
        """Whether the person may still see an operation that a flow with this right has begun."""
        ...

    def open_refusal(self, flow: str, needs: Right | None) -> Refusal | None:
        """Why the person may not enter the flow now; ``None`` if they may."""
        ...

    def has_partner(self, code: str) -> bool: ...

    def note_suspicious(self, event: str) -> None:
        """Record a suspicious attempt, such as "contact_of_another"."""
        ...

    def today(self) -> date:
        """The current business day."""
        ...

    def limits(self, name: str) -> tuple[Money, Money]:
        """The minimum and maximum amount currently in force."""
        ...

    def recipient(self, name: str) -> Phone | None:
        """The phone that the person's partner has saved under this name."""
        ...

    def suggest(self, name: str, args: Mapping[str, Any]) -> Sequence[Any]:
        """A handful of values to offer as buttons, computed from ``args``; ``Labelled`` ones under
        their label."""
        ...

    def count(self, name: str) -> int:
        """How much waits in a flow; exact below ``COUNTED_MAX``."""
        ...

    def run(
        self, use_case: str, args: Mapping[str, Any], operation: str | None
    ) -> Exit | OperationStarted | Refusal: ...

    def check_code(
        self, use_case: str, args: Mapping[str, Any], operation: str, code: str
    ) -> Exit | Refusal:
        """Check a typed code; after a refusal the question stays open."""
        ...

    def act(self, action: str, operation: str) -> Exit | Refusal | None:
        """Run a small act on an operation, such as querying the bank now."""
        ...

    def progress(self, operation: str) -> Mapping[str, Any]:
        """Facts about an operation that is being waited for."""
        ...

    def under_way(self) -> Begun | None:
        """The newest operation that the person began here, and that nobody can tell the end of
        yet."""
        ...

    def recall(self, operation: str) -> Recalled | Refusal:
        """What an operation was for, in order to begin again or to look at it."""
        ...

    def may_open(self, view: str, args: Mapping[str, Any]) -> bool:
        """Whether a view has something to show this person for what was typed."""
        ...

    def load_view(self, view: str, args: Mapping[str, Any], cursor: str | None) -> View:
        """``cursor`` comes from an earlier page; ``None`` is the first page."""
        ...
