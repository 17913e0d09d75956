"""What a node of a flow calls, by kind; each takes the turn it happens in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from bot.context import TurnContext
from flows.engine.host import Exit, View, Waiting
from services.domain.refusal import Refusal

# The fields the node names, and the operation that it goes on with.
Run: TypeAlias = Callable[[TurnContext, Mapping[str, Any], str | None], Exit | Waiting | Refusal]
# The fields, the operation that the code approves, and the code.
CheckCode: TypeAlias = Callable[[TurnContext, Mapping[str, Any], str, str], Exit | Refusal]
Act: TypeAlias = Callable[[TurnContext, str], Exit | Refusal | None]
Progress: TypeAlias = Callable[[TurnContext, str], Mapping[str, Any]]
# The fields, and the cursor of a page.
See: TypeAlias = Callable[[TurnContext, Mapping[str, Any], str | None], View]
Suggest: TypeAlias = Callable[[TurnContext, Mapping[str, Any]], Sequence[Any]]
