"""Who may call what, as a table for people."""

from __future__ import annotations

from collections.abc import Iterator

from bot.turns.registry import HANDLERS
from flows.engine.declarations import HandlerKind
from services.domain.partner import RIGHTS, Right

_COLUMNS = (  # what is named in which column
    (HandlerKind.USE_CASE, HandlerKind.CODE_CHECK, HandlerKind.ACTION),
    (HandlerKind.VIEW, HandlerKind.COUNT),
)


def rights_table() -> Iterator[str]:
    """The lines of a Markdown table: each right, who has it, and what needs it."""
    yield "| right | who | does | sees |"
    yield "|---|---|---|---|"
    for right in (*Right, None):
        cells = [_names(right, kinds) for kinds in _COLUMNS]
        name = "none" if right is None else f"`{right.name}`"
        yield f"| {name} | {_who(right)} | {' | '.join(cells)} |"


def _who(right: Right | None) -> str:
    if right is None:
        return "anybody, strangers too"
    if right is Right.ADMIN:
        return "admins"
    return ", ".join(role.value for role, rights in RIGHTS.items() if right in rights)


def _names(right: Right | None, kinds: tuple[HandlerKind, ...]) -> str:
    found = (handler for handler in HANDLERS if handler.needs is right and handler.kind in kinds)
    return ", ".join(sorted({f"`{handler.name}`" for handler in found}))
