"""Moves from node to node, running use cases, until there is a screen to show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.engine.event import StepResult
from flows.engine.frames import (
    data_facts,
    drop_parked,
    entry_refusal,
    fill,
    remember,
    return_to,
)
from flows.engine.host import Exit, Host, OperationStarted
from flows.engine.nodes import Ask, Call, Choose, Do, End, Option, SecretKind
from flows.engine.screen_renderer import ScreenRenderer
from flows.engine.session import FlowRegistry, Frame, Session
from flows.engine.texts import format_value
from flows.engine.typed_secrets import asks_for
from services.domain.refusal import Refusal

HOPS_MAX = 20  # nodes entered in one step; more means a loop in a flow


class NodeRunner:
    def __init__(self, flows: FlowRegistry, renderer: ScreenRenderer) -> None:
        self._flows = flows
        self._renderer = renderer

    def go(
        self, session: Session, frame: Frame, values: Mapping[str, Any], to: str, host: Host
    ) -> StepResult:
        """Leave the node with ``values`` and enter ``to``."""
        remember(frame)
        fill(frame, values)
        frame.cursor = None
        if frame.editing is not None and frame.editing in values:
            assert frame.returns is not None
            to, frame.editing, frame.returns = frame.returns, None, None
        return self.enter(session, frame, to, host, {}, to)

    def pick(self, session: Session, frame: Frame, option: Option, host: Host) -> StepResult:
        """Leave a Choose by one of its options."""
        facts = host.facts()
        values = {name: facts[fact] for name, fact in option.set.items()} | dict(option.puts)
        return self.go(session, frame, values, option.to, host)

    def enter(
        self,
        session: Session,
        frame: Frame,
        to: str,
        host: Host,
        facts: Mapping[str, Any],
        transition: str,
        above: str | None = None,
    ) -> StepResult:
        """Enter ``to`` and run nodes without a question until there is a screen to show, with
        ``above`` over it unless one of them says something itself."""
        done = False
        operation = frame.operation
        for _ in range(HOPS_MAX):
            frame.node = to
            node = frame.flow.node(to)
            if isinstance(node, Call):
                return self._call(session, frame, node, host)
            if isinstance(node, Ask | Choose) and node.to and node.into in frame.given:
                frame.given.remove(node.into)
                transition, to = node.to, node.to
                continue
            if asks_for(node, SecretKind.CODE):
                frame.history.clear()  # "back" must not undo what was confirmed
            if done and isinstance(node, Choose):
                return_to(frame, to)
            if not isinstance(node, Do):
                screen = self._renderer.current_screen(session, host, facts=facts, above=above)
                if isinstance(node, End):
                    session.active = None
                return StepResult(screen, transition, operation=operation)
            if node.money:
                frame.history.clear()
            known = data_facts(frame)
            args = {name: known[name] for name in node.args}
            about = None if node.operation is None else known[node.operation]
            match host.run(node.use_case, args, about):
                case OperationStarted(reference):
                    frame.waiting = operation = reference
                    screen = self._renderer.current_screen(session, host)
                    return StepResult(screen, "waiting", operation=operation)
                case Exit(name, facts, sets, above):
                    done = True
                    fill(frame, sets)
                    operation = frame.operation
                    transition, to = name, node.on[name]
                case Refusal(code, refused):
                    transition, to = code, node.on["refused"]
                    facts = {"reason": self._renderer.say(host, f"refusal.{code}", refused)}
        raise RuntimeError(f"{frame.flow.name} does not come to rest")

    def _call(self, session: Session, frame: Frame, node: Call, host: Host) -> StepResult:
        """Park this flow at the node it continues from, and start the other with its given
        fields."""
        known = data_facts(frame)
        if node.at is None or node.to is None:
            return self._hand_over(session, node, known, host)
        frame.node = node.to
        frame.history.clear()
        session.parked[frame.flow.name] = frame
        drop_parked(session, node.flow, host)
        sub = session.active = Frame.start(self._flows.newest[node.flow])
        fill(sub, {name: known[field] for name, field in node.gives.items()})
        sub.node = node.at
        if isinstance(sub.current_node, Do):
            return self.enter(session, sub, node.at, host, {}, node.id)
        return StepResult(self._renderer.current_screen(session, host), node.id)

    def _hand_over(
        self, session: Session, node: Call, known: Mapping[str, Any], host: Host
    ) -> StepResult:
        """Begin the other flow with the values that its own questions accept."""
        flow = self._flows.newest[node.flow]
        refusal = entry_refusal(flow, host)
        if refusal is not None:
            session.active = None
            return self.refused(session, refusal, host)
        drop_parked(session, flow.name, host)
        frame = session.active = Frame.start(flow)
        for name, field in node.gives.items():
            refusal = self.give(frame, name, known[field], host)
            if refusal is not None:
                return self.refused(session, refusal, host)
            frame.given.append(name)
        return self.enter(session, frame, flow.start, host, {}, node.id)

    def give(self, frame: Frame, name: str, value: Any, host: Host) -> Refusal | None:
        """Fill a field as if its value had been typed, so that nothing gets past its question."""
        ask = frame.flow.ask_for(name)
        if ask is not None:
            value = ask.parse(format_value(value, host.language), host)
            if isinstance(value, Refusal):
                return value
        fill(frame, {name: value})
        return None

    def refused(self, session: Session, refusal: Refusal, host: Host) -> StepResult:
        """The open question, below why something was refused."""
        above = self._renderer.say(host, f"refusal.{refusal.code}", refusal.facts)
        screen = self._renderer.current_screen(session, host, above=above)
        return StepResult(screen, refusal.code)
