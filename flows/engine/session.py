"""Where one conversation stands: plain data, stored as JSON between turns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json, to_json

from flows.engine.host import Host
from flows.engine.nodes import Flow
from services.domain.partner import Right

IDLE_TIMEOUT = timedelta(minutes=30)  # after which an open conversation is closed
HISTORY_MAX = 20  # steps that "back" can go
RESUME_NODE = "resume"  # the engine's own node: continue or start again


class HistoryEntry(NamedTuple):
    """One step that "back" returns to, with the data as it was there."""

    node: str
    data: dict[str, Any]
    editing: str | None = None
    returns: str | None = None


@dataclass
class Frame:
    """One flow in progress. ``offered`` is what the buttons of the screen stand for."""

    flow: Flow
    node: str
    data: BaseModel
    history: list[HistoryEntry] = field(default_factory=list)
    offered: dict[str, Any] = field(default_factory=dict)
    editing: str | None = None  # field being asked again
    returns: str | None = None  # the Confirm it was asked from
    waiting: str | None = None  # reference of the operation waited for
    cursor: str | None = None  # page of a Look

    @classmethod
    def start(cls, flow: Flow) -> Frame:
        return cls(flow, flow.start, flow.data())

    @property
    def in_the_middle(self) -> bool:
        """Something would be lost, or missed, if it were simply left."""
        if self.flow.is_read_only or self.node == RESUME_NODE:
            return False
        return bool(self.history) or self.waiting is not None or self.node != self.flow.start

    @property
    def operation(self) -> str | None:
        """Reference of the operation it is about, once there is one."""
        if self.waiting is None and self.flow.operation is not None:
            return getattr(self.data, self.flow.operation, None)
        return self.waiting

    def to_json(self) -> dict[str, Any]:
        """What ``pydantic_core.to_json`` writes down, without what is None in ``data``."""
        body: dict[str, Any] = {
            "flow": self.flow.name,
            "version": self.flow.version,
            "node": self.node,
            "data": self.data,
        }
        if self.history:
            body["history"] = [[*place] for place in self.history]  # plain lists: in half the time
        for name in ("offered", "editing", "returns", "waiting", "cursor"):
            if value := getattr(self, name):
                body[name] = value
        return body


class FlowRegistry:
    """Every flow by name and version; the newest of a name is the one that opens."""

    def __init__(self, *flows: Flow) -> None:
        self._by_version = {(flow.name, flow.version): flow for flow in flows}
        self.newest: dict[str, Flow] = {}  # in the order given
        for flow in flows:
            standing = self.newest.get(flow.name)
            if standing is None or standing.version < flow.version:
                self.newest[flow.name] = flow
        self._by_command: dict[str, list[Flow]] = {}
        for flow in self.newest.values():
            self._by_command.setdefault(flow.command_word, []).append(flow)
        self._in_menu = [flow for flow in self.newest.values() if flow.in_menu]

    def get(self, name: str, version: int) -> Flow | None:
        """The flow that a conversation begun in this version goes on in."""
        newest = self.newest.get(name)
        if newest is not None and version in newest.compatible_versions:
            return newest
        return self._by_version.get((name, version))

    def visible_to(self, host: Host) -> Iterator[Flow]:
        """Those that exist for the person, in the order given."""
        return (flow for flow in self.newest.values() if host.has_right(flow.needs))

    def in_menu(self, host: Host) -> Iterator[Flow]:
        return (flow for flow in self._in_menu if host.has_right(flow.needs))

    def for_command(self, word: str, argument: bool, host: Host) -> Flow | None:
        """The flow that a command opens, or is refused: one that leads the desk does not exist for
        others. Two share a command where admins name a partner behind it."""
        flows = [
            flow
            for flow in self._by_command.get(word, ())
            if flow.needs is not Right.ADMIN or host.has_right(flow.needs)
        ]
        flows.sort(
            key=lambda flow: (not host.has_right(flow.needs), flow.takes_argument != argument)
        )
        return flows[0] if flows else None

    def __iter__(self) -> Iterator[Flow]:
        return iter(self._by_version.values())


class TurnRate(NamedTuple):
    """How many turns since a window began, in milliseconds of Unix time."""

    since_ms: int
    turns: int


@dataclass
class Session:
    """``turn`` grows with every screen that has options; buttons carry the one they belong to.

    ``closed`` names a flow that was closed while the person was away, to be told once. ``bare``
    says that the newest message has no options: an outcome came by itself. ``commands`` names the
    list of commands that this person's channel shows. ``pace`` is how fast they write. ``album`` is
    the one that they were last told we cannot read.
    """

    turn: int = 0
    active: Frame | None = None
    parked: dict[str, Frame] = field(default_factory=dict)
    closed: str | None = None
    bare: bool = False
    commands: str | None = None
    pace: TurnRate | None = None
    album: str | None = None

    @property
    def at(self) -> str | None:
        """``flow.node``, as trails and scripts name it."""
        return None if self.active is None else f"{self.active.flow.name}.{self.active.node}"

    @property
    def may_expire(self) -> bool:
        """Something is open that waits for its person, and for nothing else."""
        frames = (self.active, *self.parked.values())
        return any(frame is not None and frame.waiting is None for frame in frames)

    def expire(self) -> None:
        """Close what waits for its person; the turn stays, so that old buttons stay old.

        What waits for an operation ends with it: until then "check now" must work.
        """
        for frame in (self.active, *self.parked.values()):
            if frame is None or frame.waiting is not None:
                continue
            if frame.node != RESUME_NODE and not frame.flow.is_read_only:
                self.closed = frame.flow.name
            if frame is self.active:
                self.active = None
            else:
                del self.parked[frame.flow.name]

    def dump(self) -> str:
        body: dict[str, Any] = {}
        if self.active is not None:
            body["active"] = self.active.to_json()
        if self.parked:
            body["parked"] = [frame.to_json() for frame in self.parked.values()]
        if self.closed is not None:
            body["closed"] = self.closed
        if self.bare:
            body["bare"] = True
        if self.commands is not None:
            body["commands"] = self.commands
        if self.pace is not None:
            body["pace"] = [*self.pace]
        if self.album is not None:
            body["album"] = self.album
        return to_json(body, exclude_none=True).decode() if body else "{}"

    @classmethod
    def load(cls, flows: FlowRegistry, turn: int, body: str) -> Session:
        """A frame whose flow version this program no longer has is closed, and told."""
        session = cls(turn)
        if body == "{}":
            return session
        stored = from_json(body)
        session.closed = stored.get("closed")
        session.bare = stored.get("bare", False)
        session.commands = stored.get("commands")
        session.album = stored.get("album")
        if "pace" in stored:
            session.pace = TurnRate(*stored["pace"])
        if "active" in stored:
            session.active = _frame(flows, stored["active"])
            if session.active is None:
                session.closed = stored["active"]["flow"]
        for parked in stored.get("parked", ()):
            frame = _frame(flows, parked)
            if frame is not None:
                session.parked[frame.flow.name] = frame
        return session


def _frame(flows: FlowRegistry, stored: dict[str, Any]) -> Frame | None:
    flow = flows.get(stored["flow"], stored["version"])
    if flow is None:
        return None
    try:
        data = flow.data.model_validate(stored["data"])
    except ValidationError:
        return None
    return Frame(
        flow=flow,
        node=stored["node"],
        data=data,
        history=[HistoryEntry(*place) for place in stored.get("history", ())],
        offered=stored.get("offered", {}),
        editing=stored.get("editing"),
        returns=stored.get("returns"),
        waiting=stored.get("waiting"),
        cursor=stored.get("cursor"),
    )
