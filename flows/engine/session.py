"""The state of one conversation: plain data, stored as JSON between turns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json, to_json

from flows.engine.host import Host
from flows.engine.nodes import Choose, Flow, Look, Node
from services.domain.partner import Right

IDLE_TIMEOUT = timedelta(minutes=30)  # then an open conversation is closed
HISTORY_MAX = 20  # steps "back" can undo
RESUME_NODE = "resume"  # the engine's own node, asking whether to continue or start again


class HistoryEntry(NamedTuple):
    """One step that "back" returns to, with the data at that point."""

    node: str
    data: dict[str, Any]
    editing: str | None = None
    returns: str | None = None


@dataclass
class Frame:
    """One flow in progress. ``offered`` maps the screen's buttons to their values."""

    flow: Flow
    node: str
    data: BaseModel
    history: list[HistoryEntry] = field(default_factory=list)
    offered: dict[str, Any] = field(default_factory=dict)
    editing: str | None = None  # the field being asked again
    returns: str | None = None  # the Confirm that the edit started from
    waiting: str | None = None  # reference of the operation being waited for
    cursor: str | None = None  # the page of a Look
    given: list[str] = field(default_factory=list)  # fields filled before they were asked for

    @classmethod
    def start(cls, flow: Flow) -> Frame:
        return cls(flow, flow.start, flow.data())

    @property
    def current_node(self) -> Node | None:
        """Where it stands; ``None`` where the engine asks whether to continue."""
        return None if self.node == RESUME_NODE else self.flow.node(self.node)

    @property
    def at_menu(self) -> bool:
        """Whether it stands at a menu of its own, where nothing is open."""
        node = self.current_node
        return isinstance(node, Choose) and node.is_menu

    @property
    def in_the_middle(self) -> bool:
        """Whether leaving it would lose an answer or miss an outcome: not where it only shows
        something, nor where it begins, nor at a menu, as settings do again after a save."""
        if self.flow.is_read_only or self.node == RESUME_NODE or self.at_menu:
            return False
        if self.waiting is not None or self.editing is not None:
            return True
        return self.node != self.flow.start and not isinstance(self.current_node, Look)

    @property
    def operation(self) -> str | None:
        """Reference of the flow's operation, once there is one."""
        if self.waiting is None and self.flow.operation is not None:
            return getattr(self.data, self.flow.operation, None)
        return self.waiting

    def to_json(self) -> dict[str, Any]:
        """Plain data for ``pydantic_core.to_json``, without fields of ``data`` that are None."""
        body: dict[str, Any] = {
            "flow": self.flow.name,
            "version": self.flow.version,
            "node": self.node,
            "data": self.data,
        }
        if self.history:
            # Plain lists serialise twice as fast.
            body["history"] = [[*place] for place in self.history]
        for name in ("offered", "editing", "returns", "waiting", "cursor", "given"):
            if value := getattr(self, name):
                body[name] = value
        return body


class FlowRegistry:
    """Every flow by name and version; a new conversation uses the newest version. ``groups`` are
    the headings of the help, with the flows under each."""

    def __init__(self, *flows: Flow, groups: Mapping[str, Sequence[str]] | None = None) -> None:
        self.groups = groups or {}
        self._by_version = {(flow.name, flow.version): flow for flow in flows}
        self.newest: dict[str, Flow] = {}  # in the order given
        for flow in flows:
            standing = self.newest.get(flow.name)
            if standing is None or standing.version < flow.version:
                self.newest[flow.name] = flow
        self._by_command: dict[str, list[Flow]] = {}
        for flow in self.newest.values():
            if flow.has_command:
                self._by_command.setdefault(flow.command_word, []).append(flow)
        self._in_menu = [flow for flow in self.newest.values() if flow.in_menu]
        self._counted = [flow for flow in self.newest.values() if flow.counted_by is not None]

    def get(self, name: str, version: int) -> Flow | None:
        """The flow in which a conversation of this version continues."""
        newest = self.newest.get(name)
        if newest is not None and version in newest.compatible_versions:
            return newest
        return self._by_version.get((name, version))

    def visible_to(self, host: Host) -> Iterator[Flow]:
        """Flows the person has the right to see, in the order given."""
        return (
            flow for flow in self.newest.values() if flow.has_command and host.has_right(flow.needs)
        )

    def in_menu(self, host: Host) -> Iterator[Flow]:
        return (flow for flow in self._in_menu if host.has_right(flow.needs))

    def counted(self, host: Host) -> Iterator[Flow]:
        """Flows in whose menu button what waits is counted."""
        return (flow for flow in self._counted if host.has_right(flow.needs))

    def for_command(self, word: str, argument: bool, host: Host) -> Flow | None:
        """The flow that a command opens, or is refused by. Admin flows do not exist for others. Two
        flows share a command where admins name a partner after it."""
        flows = [
            flow
            for flow in self._by_command.get(word, ())
            if flow.needs is not Right.ADMIN or host.has_right(flow.needs)
        ]
        flows.sort(
            key=lambda flow: (not host.has_right(flow.needs), flow.takes_argument != argument)
        )
        return flows[0] if flows else None

    @property
    def for_files(self) -> Flow | None:
        """The flow that a file begins, if there is one."""
        return next((flow for flow in self.newest.values() if flow.file_node is not None), None)

    def __iter__(self) -> Iterator[Flow]:
        return iter(self._by_version.values())


class Ended(NamedTuple):
    """An End that was reached, and the operation that it ended, if there was one. ``resumes`` is a
    parked flow that waited for it; ``by_itself``: the message answers nothing, so it is no screen
    and a number picks none of its options."""

    flow: str
    node: str
    operation: str | None
    resumes: str | None = None
    by_itself: bool = False


class TurnRate(NamedTuple):
    """Turns since a window began, in milliseconds of Unix time."""

    since_ms: int
    turns: int


@dataclass
class Session:
    """``turn`` grows with every screen that has options; buttons carry the turn they belong to.

    ``closed`` is a flow that was closed while the person was away, to be mentioned once. ``ended``
    is the End that the newest message shows, and whose options can be typed. ``commands``
    identifies the command list this person's channel shows. ``pace`` is their message rate.
    ``album`` is the last album they were told we cannot read. ``misses`` counts messages in a row
    that did not fit. ``menu_counts`` (stored as ``waiting``) are the flows that the newest menu
    shows first, with the number of what waits in each: a number that is typed means what stood
    there, whatever waits by now.
    """

    turn: int = 0
    active: Frame | None = None
    parked: dict[str, Frame] = field(default_factory=dict)
    closed: str | None = None
    ended: Ended | None = None
    commands: str | None = None
    pace: TurnRate | None = None
    album: str | None = None
    misses: int = 0
    menu_counts: dict[str, int] = field(default_factory=dict)

    @property
    def at(self) -> str | None:
        """``flow.node``, as trails and scripts name it."""
        return None if self.active is None else f"{self.active.flow.name}.{self.active.node}"

    @property
    def current_node(self) -> Node | None:
        """The node where the person stands; ``None`` at the menu too."""
        return None if self.active is None else self.active.current_node

    @property
    def frames(self) -> list[Frame]:
        """What is open, the active flow first."""
        active = () if self.active is None else (self.active,)
        return [*active, *self.parked.values()]

    @property
    def may_expire(self) -> bool:
        """Whether something is open that waits only for its person."""
        return any(frame.waiting is None for frame in self.frames)

    def expire(self) -> None:
        """Close what waits for its person; the turn is kept, so that old buttons stay stale.

        A frame that waits for an operation stays until that ends: "check now" must keep working.
        """
        for frame in self.frames:
            if frame.waiting is not None:
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
        if self.ended is not None:
            body["ended"] = [*self.ended]
        if self.commands is not None:
            body["commands"] = self.commands
        if self.pace is not None:
            body["pace"] = [*self.pace]
        if self.album is not None:
            body["album"] = self.album
        if self.misses:
            body["misses"] = self.misses
        if self.menu_counts:
            body["waiting"] = self.menu_counts
        return to_json(body, exclude_none=True).decode() if body else "{}"

    @classmethod
    def load(cls, flows: FlowRegistry, turn: int, body: str) -> Session:
        """A frame whose flow version no longer exists is closed, and the person is told."""
        session = cls(turn)
        if body == "{}":
            return session
        stored = from_json(body)
        session.closed = stored.get("closed")
        session.commands = stored.get("commands")
        session.album = stored.get("album")
        session.misses = stored.get("misses", 0)
        if "ended" in stored:
            session.ended = Ended(*stored["ended"])
        session.menu_counts = stored.get("waiting", {})
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
        given=stored.get("given", []),
    )
