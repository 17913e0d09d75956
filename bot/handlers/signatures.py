"""Signatures of the functions that flow nodes call; each takes the current turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from bot.context import TurnContext
from flows.engine.host import Exit, OperationStarted, View
from services.domain.refusal import Refusal

# The fields that the node names, and the operation it continues, if any.
UseCase: TypeAlias = Callable[
    [TurnContext, Mapping[str, Any], str | None], Exit | OperationStarted | Refusal
]
# The fields, the operation that the code approves, and the code as typed.
CodeCheck: TypeAlias = Callable[[TurnContext, Mapping[str, Any], str, str], Exit | Refusal]
Action: TypeAlias = Callable[[TurnContext, str], Exit | Refusal | None]
Progress: TypeAlias = Callable[[TurnContext, str], Mapping[str, Any]]
# The fields, and the page's cursor.
ViewBuilder: TypeAlias = Callable[[TurnContext, Mapping[str, Any], str | None], View]
Suggester: TypeAlias = Callable[[TurnContext, Mapping[str, Any]], Sequence[Any]]
