"""What the program declares of the functions that flows call by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import NoneType
from typing import Any, Protocol, get_args

from services.domain.ids import Reference
from services.domain.partner import Right


class HandlerKind(StrEnum):
    """How a flow calls it."""

    USE_CASE = "use case"  # by a Do
    CODE_CHECK = "code check"  # by a Code
    ACTION = "action"  # by a button, on an operation; also a Code's status, and cancelling
    VIEW = "view"  # by a Look or a Choose
    SUGGESTION = "suggestion"  # by an Ask or a Choose, for its buttons
    PROGRESS = "progress"  # by what waits for an operation; named by the reference's prefix
    RECALL = "recall"  # by an End's option; named by the reference's prefix too
    COUNT = "count"  # by the menu, for the number on the flow's button


# Parameters that the engine fills, beside the fields that a node names in ``args``.
FILLED: Mapping[HandlerKind, frozenset[str]] = {
    HandlerKind.USE_CASE: frozenset({"operation"}),
    HandlerKind.CODE_CHECK: frozenset({"operation", "code"}),
    HandlerKind.ACTION: frozenset({"operation"}),
    HandlerKind.VIEW: frozenset({"cursor"}),
    HandlerKind.SUGGESTION: frozenset(),
    HandlerKind.PROGRESS: frozenset({"operation"}),
    HandlerKind.RECALL: frozenset({"operation"}),
    HandlerKind.COUNT: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Declaration:
    """``needs`` is asked whenever it is called; ``None`` admits strangers too.

    ``parameters`` are its typed arguments; those of type ``Reference`` must belong to the person's
    partner. One that ``waits`` begins an operation. ``shows`` are facts for the node that calls it,
    while it stands there, and ``tells`` for the End that an outcome leads to. Only what runs
    ``while_suspended`` is not refused to people of a suspended partner, if it needs
    ``MOVE_MONEY``.
    """

    kind: HandlerKind
    name: str
    needs: Right | None
    parameters: Mapping[str, Any]
    waits: bool = False
    shows: frozenset[str] = frozenset()
    tells: frozenset[str] = frozenset()
    while_suspended: bool = False
    references: tuple[str, ...] = field(init=False)  # parameters whose partner is checked

    def __post_init__(self) -> None:
        found = tuple(name for name, type_ in self.parameters.items() if is_reference(type_))
        object.__setattr__(self, "references", found)

    @property
    def fields(self) -> frozenset[str]:
        """The parameters that a node fills with fields of its flow."""
        return frozenset(self.parameters) - FILLED[self.kind]


class Declarations(Protocol):
    """Everything that flows may call."""

    def get(self, kind: HandlerKind, name: str) -> Declaration | None: ...

    def __iter__(self) -> Iterator[Declaration]: ...


def without_none(annotation: Any) -> tuple[frozenset[Any], bool]:
    """The types that an annotation admits besides ``None``, and whether it admits ``None``."""
    types = get_args(annotation) or (annotation,)
    return frozenset(types) - {NoneType}, NoneType in types


def is_reference(annotation: Any) -> bool:
    return Reference in without_none(annotation)[0]


def waits(declared: Declarations, use_case: str) -> bool:
    found = declared.get(HandlerKind.USE_CASE, use_case)
    return found is not None and found.waits
