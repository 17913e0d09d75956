"""A list of operations in a text, and the options that open them."""

from __future__ import annotations

from collections.abc import Sequence

from bot.context import TurnContext


def listed(
    turn: TurnContext, references: Sequence[str], lines: Sequence[str], empty: str
) -> tuple[str, list[tuple[str, str]]]:
    """The text, and the options by reference with their labels; ``empty`` is what a list without
    any says. On the menu of a phone there is room for each line once: as the label."""
    if not lines:
        return turn.say(empty), []
    if turn.on_phone_menu:
        return "", list(zip(references, lines, strict=True))
    return "\n".join(lines), [(reference, reference) for reference in references]
