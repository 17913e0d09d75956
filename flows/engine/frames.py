"""Operations on a session's frames that show nothing: filling, parking and dropping them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flows.engine.host import Host
from flows.engine.nodes import Ask, Choose, Do, Flow
from flows.engine.session import HISTORY_MAX, Frame, HistoryEntry, Session
from services.domain.partner import Right
from services.domain.refusal import Refusal


def entry_refusal(flow: Flow, host: Host) -> Refusal | None:
    """Why this person may not enter the flow here and now."""
    if host.channel.phone_menu and not flow.ussd:
        return Refusal("not_on_phone")
    return host.open_refusal(flow.name, flow.needs)


def data_facts(frame: Frame) -> dict[str, Any]:
    """The answers so far, by field."""
    return {name: getattr(frame.data, name) for name in type(frame.data).__pydantic_fields__}


def remember(frame: Frame) -> None:
    """Save the current node and data for "back"."""
    data = frame.data.model_dump(mode="json", exclude_none=True)
    frame.history.append(HistoryEntry(frame.node, data, frame.editing, frame.returns))
    del frame.history[:-HISTORY_MAX]


def return_to(frame: Frame, node: str) -> None:
    """Forget the way from a menu to something that is done now: "back" leads up from the menu."""
    passed = [place.node for place in frame.history]
    if node in passed:
        del frame.history[passed.index(node) :]


def go_back(frame: Frame) -> None:
    """To where the newest step began, with the data of then. Raises ``IndexError`` without one."""
    place = frame.history.pop()
    frame.node, frame.editing, frame.returns = place.node, place.editing, place.returns
    frame.data = frame.flow.data.model_validate(place.data)


def go_back_to_question(frame: Frame) -> None:
    """To the last question before, with what was answered by then; if none is known any more, to
    the first, with everything that was filled in."""
    while frame.history:
        go_back(frame)
        if isinstance(frame.current_node, Ask | Choose):
            return
    frame.node, frame.editing, frame.returns = frame.flow.start, None, None


def fill(frame: Frame, values: Mapping[str, Any]) -> None:
    """Set fields, validated by the data's own types: suggestions come back as JSON."""
    if values:
        known = {**data_facts(frame), **values}
        frame.data = frame.flow.data.model_validate(known)


def acts_while_waiting(frame: Frame) -> Sequence[str]:
    """The options on the operation that the frame waits for, such as asking how it stands."""
    node = frame.flow.node(frame.node) if frame.waiting is not None else None
    return list(node.acts) if isinstance(node, Do) else ()


def park(session: Session) -> None:
    frame = session.active
    session.active = None
    if frame is not None and frame.in_the_middle:
        session.parked[frame.flow.name] = frame


def abandon(frame: Frame, host: Host) -> None:
    """Cancel an operation that was begun but is not being waited for."""
    if frame.flow.cancel_use_case is not None and frame.waiting is None and frame.operation:
        host.act(frame.flow.cancel_use_case, frame.operation)


def let_go(frame: Frame, host: Host) -> None:
    """Begin without it. On a phone, where people dial anew all the time, only "cancel" takes back
    what others were asked to decide; what nobody was asked about ends by itself."""
    if not host.channel.phone_menu:
        abandon(frame, host)


def leave_going_on(session: Session, flow: Flow) -> None:
    """Forget where a flow was left, if what was begun there goes on by itself."""
    parked = session.parked.get(flow.name)
    if parked is not None and parked.node in flow.goes_on_at:
        del session.parked[flow.name]


def drop_parked(session: Session, flow: str, host: Host) -> None:
    """Drop a parked flow that starts over; an outcome it waits for is still announced."""
    gone = session.parked.pop(flow, None)
    if gone is not None:
        let_go(gone, host)


def drop_forbidden_frames(session: Session, host: Host) -> Refusal | None:
    """Close frames that the person no longer has the right to, or whose operation belongs to a
    partner that is no longer theirs; checked on every turn.

    Returns the refusal for the active flow; for an admin flow there is none.
    """
    refusal = None
    for frame in session.frames:
        if _is_allowed(frame, host):
            continue
        if frame is session.active:
            session.active = None
            if frame.flow.needs is not Right.ADMIN:
                refusal = host.open_refusal(frame.flow.name, frame.flow.needs)
        else:
            del session.parked[frame.flow.name]
        abandon(frame, host)
    return refusal


def _is_allowed(frame: Frame, host: Host) -> bool:
    needs, operation = frame.flow.needs, frame.operation
    return host.has_right(needs) and (operation is None or host.owns(needs, operation))
