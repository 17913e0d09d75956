"""Numbers that pick an option, on channels without buttons."""

from __future__ import annotations

from flows.engine.nodes import Ask, Code, Contact
from flows.engine.session import RESUME_NODE, Frame, Session

DIGITS_MAX = 2  # in the number of an option


def picked_number(session: Session, text: str) -> int | None:
    """The number, if it may pick an option: not where a question takes text, and not where the
    newest message shows no options or its conversation was closed since."""
    if session.bare or session.closed is not None or _asks(session.active):
        return None
    text = text.strip()
    is_number = text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX
    return int(text) if is_number else None


def _asks(frame: Frame | None) -> bool:
    if frame is None or frame.node == RESUME_NODE:
        return False
    return isinstance(frame.flow.node(frame.node), Ask | Code | Contact)
