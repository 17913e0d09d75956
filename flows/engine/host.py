"""What a conversation needs from whoever runs it, inside the turn's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from services.domain.money import Money
from services.domain.partner import Right
from services.domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Exit:
    """A use case is over: ``name`` is the node's exit, ``facts`` fill the next text, ``sets``
    the fields that the node says this exit gives, and ``above`` stands over the next question."""

    name: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    sets: Mapping[str, Any] = field(default_factory=dict)
    above: str | None = None


@dataclass(frozen=True, slots=True)
class OperationStarted:
    """A use case began an operation whose outcome comes later."""

    operation: str


@dataclass(frozen=True, slots=True)
class View:
    """A page to look at. ``items`` are (reference, label) to tap; cursors lead to other pages.

    ``more`` goes back in time and ``newer`` forward, or to the next page and the one before where
    the order is not that of time: ``timeless``.
    """

    facts: Mapping[str, Any]
    items: Sequence[tuple[str, str]] = ()
    more: str | None = None
    newer: str | None = None
    timeless: bool = False
    acts: frozenset[str] = frozenset()


class Host(Protocol):
    @property
    def language(self) -> str: ...

    def offers(self, what: str) -> bool:
        """Whether this desk has what an option needs."""
        ...

    def facts(self) -> Mapping[str, Any]:
        """What may be said about the person anywhere, such as ``my_phone``."""
        ...

    def entry_refusal(self) -> Refusal | None:
        """Whether this is anybody's address at all."""
        ...

    @property
    def shares_contacts(self) -> bool:
        """Whether the channel can vouch for a person's own number."""
        ...

    def has_right(self, needs: Right | None) -> bool:
        """Whether what needs this right exists for the person at all."""
        ...

    def open_refusal(self, flow: str, needs: Right | None) -> Refusal | None:
        """Whether the person may enter the flow now."""
        ...

    def has_partner(self, code: str) -> bool: ...

    def note_suspicious(self, event: str) -> None:
        """Somebody tried what is not theirs: "contact_of_another"."""
        ...

    def today(self) -> date:
        """The business day it is now."""
        ...

    def limits(self, name: str) -> tuple[Money, Money]:
        """Least and most of an amount, as in force now."""
        ...

    def suggest(self, name: str, args: Mapping[str, Any]) -> Sequence[Any]:
        """Values to offer as buttons, worked out with ``args``; at most a handful."""
        ...

    def run(
        self, use_case: str, args: Mapping[str, Any], operation: str | None
    ) -> Exit | OperationStarted | Refusal: ...

    def check_code(
        self, use_case: str, args: Mapping[str, Any], operation: str, code: str
    ) -> Exit | Refusal:
        """Have a typed code checked; a refusal leaves the question standing."""
        ...

    def act(self, use_case: str, operation: str) -> Exit | Refusal | None:
        """Something small about an operation, such as asking the bank now."""
        ...

    def progress(self, operation: str) -> Mapping[str, Any]:
        """What to say of an operation while it is waited for."""
        ...

    def load_view(self, view: str, args: Mapping[str, Any], cursor: str | None) -> View:
        """``cursor`` is one that an earlier page gave, or ``None`` for the first page."""
        ...
