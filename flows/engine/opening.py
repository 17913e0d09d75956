"""Opens flows by their commands, with the values that were typed behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from flows.engine.event import Event, StepResult
from flows.engine.frames import drop_parked, entry_refusal, fill, leave_going_on, park
from flows.engine.host import Host
from flows.engine.navigation import Navigation
from flows.engine.node_runner import NodeRunner
from flows.engine.nodes import Ask, Do, Flow
from flows.engine.screen_renderer import ScreenRenderer
from flows.engine.session import RESUME_NODE, FlowRegistry, Frame, Session
from flows.engine.typed_values import TypedValues
from services.domain.partner import Right
from services.domain.refusal import Refusal


class Opening:
    def __init__(
        self,
        flows: FlowRegistry,
        renderer: ScreenRenderer,
        runner: NodeRunner,
        navigation: Navigation,
        values: TypedValues,
    ) -> None:
        self._flows = flows
        self._renderer = renderer
        self._runner = runner
        self._navigation = navigation
        self._values = values

    def known(self, words: Sequence[str], host: Host) -> str | None:
        """The first of the commands that this person may use, or else one that exists for them."""
        flows = [(word, self._flows.for_command(word, False, host)) for word in words]
        known = [(word, flow) for word, flow in flows if flow is not None]
        allowed = [word for word, flow in known if host.has_right(flow.needs)]
        return next(iter([*allowed, *(word for word, _ in known)]), None)

    def reference(self, session: Session, text: str, host: Host) -> StepResult:
        """Open what a bare reference names, in the history or, for admins, wherever it is found."""
        word = self.known(("find", "history"), host)
        if word is None:
            return self._navigation.reprompt(session, host, "not_understood")
        return self.command(session, word, host, text)

    def command(self, session: Session, word: str, host: Host, values: str = "") -> StepResult:
        """Open the flow of a command; ``values`` answer its first questions."""
        if word == "menu" or (word == "start" and not values):
            return self._navigation.menu(session, host)
        if word == "cancel":
            return self._navigation.cancel(session, host)
        if word == "back":
            return self._navigation.back_by_word(session, host)
        if word == "help":
            return self._navigation.help(session, host)
        flow = self._flows.for_command(word, bool(values), host)
        if flow is None:
            return self._navigation.reprompt(session, host, "unknown_command")
        return self._open(session, flow, host, values)

    def flow(self, session: Session, name: str, host: Host) -> StepResult:
        """Open what a button in the menu or in a notice names."""
        flow = self._flows.newest[name]
        if flow.command_word == name:
            return self.command(session, name, host)
        if flow.needs is Right.ADMIN and not host.has_right(flow.needs):
            return self._navigation.reprompt(session, host, "unknown_command")
        return self._open(session, flow, host)

    def _open(self, session: Session, flow: Flow, host: Host, values: str = "") -> StepResult:
        refusal = entry_refusal(flow, host)
        if refusal is not None:
            return self._runner.refused(session, refusal, host)
        park(session)
        if isinstance(flow.node(flow.start), Do):
            return self._start(session, flow, host)
        if values:
            self._start(session, flow, host)
            return self._values.fill(session, values, host)
        leave_going_on(session, flow)
        if flow.name in session.parked:
            frame = session.parked[flow.name]
            session.active = Frame(flow, RESUME_NODE, flow.data())
            return StepResult(
                self._renderer.current_screen(session, host), "resume", operation=frame.waiting
            )
        return self._start(session, flow, host)

    def _start(self, session: Session, flow: Flow, host: Host) -> StepResult:
        """From its first node; one that was parked is given up."""
        drop_parked(session, flow.name, host)
        frame = session.active = Frame.start(flow)
        return self._runner.enter(session, frame, flow.start, host, {}, "opened")

    def file(self, session: Session, event: Event, host: Host) -> StepResult:
        """Begin the flow that reads files."""
        flow = self._flows.for_files
        if flow is None or flow.file_node is None:
            return self._navigation.not_text(session, host, event.argument)
        refusal = entry_refusal(flow, host)
        if refusal is not None:
            return self._runner.refused(session, refusal, host)
        park(session)
        leave_going_on(session, flow)
        drop_parked(session, flow.name, host)
        frame = session.active = Frame.start(flow)
        return self._runner.enter(session, frame, flow.file_node, host, {}, "file")

    def repeat(self, session: Session, option: str, about: str, host: Host) -> StepResult | None:
        """What an End's option opens: with the values of an operation, or a flow from its first
        question. ``None`` if there is no such option."""
        named = self._flows.newest.get(about)
        if named is not None:
            return self._enter(session, named, host, option) if option in named.repeats else None
        recalled = host.recall(about.upper())
        if isinstance(recalled, Refusal):
            return self._runner.refused(session, recalled, host)
        began, values = self._flows.newest[recalled.flow], recalled.values
        for repeat in began.repeats.get(option, ()):
            if all(values.get(name) is not None for name in repeat.fills):
                flow = began if repeat.flow is None else self._flows.newest[repeat.flow]
                given = {name: values[name] for name in repeat.fills}
                return self._enter(session, flow, host, option, repeat.at, given)
        return None

    def _enter(
        self,
        session: Session,
        flow: Flow,
        host: Host,
        option: str,
        at: str | None = None,
        given: Mapping[str, Any] = MappingProxyType({}),
    ) -> StepResult:
        """Leave what is open, and begin ``flow`` anew with those values."""
        refusal = entry_refusal(flow, host)
        if refusal is not None:
            return self._runner.refused(session, refusal, host)
        park(session)
        drop_parked(session, flow.name, host)
        frame = session.active = Frame.start(flow)
        for name, value in given.items():
            refused = self._runner.give(frame, name, value, host)
            if refused is not None:
                ask = flow.ask_for(name)
                assert ask is not None, "only a question refuses a value"
                frame.node = ask.id
                return self._runner.refused(session, refused, host)
        return self._runner.enter(session, frame, at or flow.start, host, {}, option)

    def offer(self, session: Session, name: str, text: str, host: Host) -> StepResult | None:
        """Ask what to do with a bare value, if the flow's first question reads it and the person
        may use it."""
        flow = self._flows.newest.get(name)
        if flow is None or entry_refusal(flow, host) is not None:
            return None
        ask = flow.node(flow.start)
        assert isinstance(ask, Ask)
        value = ask.parse(text, host)
        if isinstance(value, Refusal):
            return None
        frame = session.active = Frame.start(flow)
        fill(frame, {ask.into: value})
        return self._runner.enter(session, frame, ask.to, host, {}, "offered")
