"""Declares handlers where they are written: what they are called, the right they need, and more.

Each module has a ``HANDLERS``, and ``bot/turns/registry.py`` joins them. The arguments are those of
``flows.engine.declarations.Declaration``; ``needs`` has no default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints

from bot.context import TurnContext
from flows.engine.declarations import Declaration, HandlerKind
from flows.engine.host import Exit, OperationStarted, Recalled, View
from services.domain.ids import Reference
from services.domain.partner import Right
from services.domain.refusal import Refusal

UseCase = TypeVar("UseCase", bound=Callable[..., Exit | OperationStarted | Refusal])
CodeCheck = TypeVar("CodeCheck", bound=Callable[..., Exit | Refusal])
Action = TypeVar("Action", bound=Callable[[TurnContext, Reference], Exit | Refusal | None])
ViewBuilder = TypeVar("ViewBuilder", bound=Callable[..., View | None])
Suggester = TypeVar("Suggester", bound=Callable[..., Sequence[Any]])
Progress = TypeVar("Progress", bound=Callable[[TurnContext, Reference], Mapping[str, Any]])
Recall = TypeVar("Recall", bound=Callable[[TurnContext, Reference], Recalled | Refusal])
Counter = TypeVar("Counter", bound=Callable[[TurnContext], int])
_Function = TypeVar("_Function", bound=Callable[..., Any])


class DeclarationError(Exception):
    """A handler is declared wrongly, which stops the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler(Declaration):
    function: Callable[..., Any]

    def call(self, turn: TurnContext, values: Mapping[str, Any]) -> Any:
        return self.function(turn, **{name: values[name] for name in self.parameters})


class Handlers:
    """The handlers of one subject, or joined ones of several."""

    def __init__(self, *joined: Handlers) -> None:
        self._by_name: dict[tuple[HandlerKind, str], Handler] = {}
        for handlers in joined:
            for handler in handlers:
                self._add(handler)

    def use_case(
        self,
        name: str,
        *,
        needs: Right | None,
        waits: bool = False,
        shows: Iterable[str] = (),
        tells: Iterable[str] = (),
        while_suspended: bool = False,
    ) -> Callable[[UseCase], UseCase]:
        """It takes ``operation`` if the node names one."""
        return self._declare(
            HandlerKind.USE_CASE,
            name,
            needs,
            waits=waits,
            shows=frozenset(shows),
            tells=frozenset(tells),
            while_suspended=while_suspended,
        )

    def code_check(
        self, name: str, *, needs: Right | None, shows: Iterable[str], tells: Iterable[str] = ()
    ) -> Callable[[CodeCheck], CodeCheck]:
        """It takes ``operation``, which the code approves, and ``code`` as typed."""
        return self._declare(
            HandlerKind.CODE_CHECK, name, needs, shows=frozenset(shows), tells=frozenset(tells)
        )

    def action(self, name: str, *, needs: Right | None) -> Callable[[Action], Action]:
        """It takes ``operation`` only."""
        return self._declare(HandlerKind.ACTION, name, needs)

    def view(
        self, name: str, *, needs: Right | None, shows: Iterable[str]
    ) -> Callable[[ViewBuilder], ViewBuilder]:
        """It takes ``cursor`` if it has pages, and returns ``None`` where there is nothing of the
        name that somebody typed."""
        return self._declare(HandlerKind.VIEW, name, needs, shows=frozenset(shows))

    def suggestion(self, name: str, *, needs: Right | None) -> Callable[[Suggester], Suggester]:
        return self._declare(HandlerKind.SUGGESTION, name, needs)

    def progress(self, prefix: str, *, needs: Right | None) -> Callable[[Progress], Progress]:
        """For operations whose references begin with ``prefix``; it takes ``operation``."""
        return self._declare(HandlerKind.PROGRESS, prefix, needs)

    def recall(self, prefix: str, *, needs: Right | None) -> Callable[[Recall], Recall]:
        """For operations whose references begin with ``prefix``; it takes ``operation``."""
        return self._declare(HandlerKind.RECALL, prefix, needs)

    def count(self, name: str, *, needs: Right | None) -> Callable[[Counter], Counter]:
        """It is exact below ``COUNTED_MAX``, and may stop there."""
        return self._declare(HandlerKind.COUNT, name, needs)

    def _declare(
        self, kind: HandlerKind, name: str, needs: Right | None, **more: Any
    ) -> Callable[[_Function], _Function]:
        def declare(function: _Function) -> _Function:
            parameters = get_type_hints(function)
            del parameters["turn"], parameters["return"]
            self._add(Handler(kind, name, needs, parameters, **more, function=function))
            return function

        return declare

    def _add(self, handler: Handler) -> None:
        """Raises ``DeclarationError``."""
        key = handler.kind, handler.name
        if key in self._by_name:
            raise DeclarationError(f"{handler.kind} {handler.name} is declared twice")
        if "operation" in set(handler.parameters) - set(handler.references):
            raise DeclarationError(f"{handler.kind} {handler.name}: operation is no Reference")
        self._by_name[key] = handler

    def get(self, kind: HandlerKind, name: str) -> Handler | None:
        return self._by_name.get((kind, name))

    def __getitem__(self, key: tuple[HandlerKind, str]) -> Handler:
        """Raises ``KeyError`` for what is not declared."""
        return self._by_name[key]

    def __iter__(self) -> Iterator[Handler]:
        return iter(self._by_name.values())
