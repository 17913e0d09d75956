"""What happens to the frames of a session without a word said: filled, parked, dropped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.engine.host import Host
from flows.engine.session import HISTORY_MAX, Frame, HistoryEntry, Session
from services.domain.partner import Right
from services.domain.refusal import Refusal


def data_facts(frame: Frame) -> dict[str, Any]:
    """What has been answered so far, by field."""
    return {name: getattr(frame.data, name) for name in type(frame.data).__pydantic_fields__}


def remember(frame: Frame) -> None:
    """Keep this place, node and data, for "back"."""
    data = frame.data.model_dump(mode="json", exclude_none=True)
    frame.history.append(HistoryEntry(frame.node, data, frame.editing, frame.returns))
    del frame.history[:-HISTORY_MAX]


def fill(frame: Frame, values: Mapping[str, Any]) -> None:
    """Put values through the data's own types: a suggestion comes back from JSON."""
    if values:
        known = {**data_facts(frame), **values}
        frame.data = frame.flow.data.model_validate(known)


def park(session: Session) -> None:
    frame = session.active
    session.active = None
    if frame is not None and frame.in_the_middle:
        session.parked[frame.flow.name] = frame


def abandon(frame: Frame, host: Host) -> None:
    """An operation that was begun, and is not waited for yet, is not wanted any more."""
    if frame.flow.cancel_use_case is not None and frame.waiting is None and frame.operation:
        host.act(frame.flow.cancel_use_case, frame.operation)


def drop_parked(session: Session, flow: str, host: Host) -> None:
    """Begin a flow anew; what waits in the parked one for the bank is told of when it ends."""
    gone = session.parked.pop(flow, None)
    if gone is not None:
        abandon(gone, host)


def drop_forbidden_frames(session: Session, host: Host) -> Refusal | None:
    """Whose role has gone since has no way on in what it had opened; checked on every turn.

    Returns what to say of the flow that was up; of the desk's own there is nothing to say.
    """
    refusal = None
    for frame in (session.active, *session.parked.values()):
        if frame is None or host.has_right(frame.flow.needs):
            continue
        if frame is session.active:
            session.active = None
            if frame.flow.needs is not Right.ADMIN:
                refusal = host.open_refusal(frame.flow.name, frame.flow.needs)
        else:
            del session.parked[frame.flow.name]
        abandon(frame, host)
    return refusal
