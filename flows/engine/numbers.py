"""Numbers that pick an option, on channels without buttons."""

from __future__ import annotations

from flows.engine.nodes import Ask, Code, Contact
from flows.engine.session import Session

DIGITS_MAX = 2  # in the number of an option


def picked_number(session: Session, text: str) -> int | None:
    """The number, if it may pick an option: not where a question takes text, and not where the
    newest message came by itself or the conversation was closed since."""
    takes_text = isinstance(session.current_node, Ask | Code | Contact)
    came = session.ended is not None and session.ended.by_itself
    if came or session.closed is not None or takes_text:
        return None
    text = text.strip()
    is_number = text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX
    return int(text) if is_number else None
