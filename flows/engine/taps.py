"""What a tapped option does at the node where the conversation stands."""

from __future__ import annotations

from flows.engine.event import Event, StepResult
from flows.engine.frames import fill, remember
from flows.engine.host import Exit, Host
from flows.engine.navigation import Navigation
from flows.engine.next_steps import split_option
from flows.engine.node_runner import NodeRunner
from flows.engine.nodes import Ask, Choose, Code, Confirm, Do, Look, shown_options
from flows.engine.opening import Opening
from flows.engine.screen_renderer import ScreenRenderer, item_act_option
from flows.engine.session import RESUME_NODE, FlowRegistry, Frame, Session
from services.domain.refusal import Refusal

UNBOUND = 0  # the turn of a button that only opens a flow, and never goes stale


class Taps:
    def __init__(
        self,
        flows: FlowRegistry,
        renderer: ScreenRenderer,
        runner: NodeRunner,
        navigation: Navigation,
        opening: Opening,
    ) -> None:
        self._flows = flows
        self._renderer = renderer
        self._runner = runner
        self._navigation = navigation
        self._opening = opening

    def tap(self, session: Session, event: Event, host: Host) -> StepResult:
        option = event.option
        frame = session.active
        if event.turn == UNBOUND and (step := self._unbound(session, option, host)) is not None:
            return step
        if event.turn != session.turn:
            return self._navigation.stale_tap(host)
        if option == "menu":
            return self._navigation.menu(session, host)
        if frame is None:
            if option == "help":
                return self._opening.command(session, option, host)
            if option in self._flows.newest:
                return self._opening.flow(session, option, host)
            if session.closed is not None:
                return StepResult(
                    None, "expired", alert=self._renderer.say(host, "engine.moved_on_closed")
                )
            return self._navigation.stale_tap(host)
        if frame.node == RESUME_NODE:
            return self._navigation.resume(session, frame, option, host)
        if option == "cancel":
            return self._navigation.cancel(session, host)
        if option == "done" and frame.at_menu:
            return self._navigation.done(session, host)
        if option == "back" and frame.history:
            return self._navigation.back(session, frame, host)
        match frame.flow.node(frame.node):
            case Ask() as node if option in frame.offered:
                return self._runner.go(
                    session, frame, {node.into: frame.offered[option]}, node.to, host
                )
            case Choose() as node if option in frame.offered and node.into and node.to:
                value = frame.offered[option]
                return self._runner.go(session, frame, {node.into: value}, node.to, host)
            case (Ask() | Choose() | Look()) as node if option in [one.id for one in node.options]:
                for choice in shown_options(node, host):
                    if choice.id == option:
                        return self._runner.pick(session, frame, choice, host)
            case Confirm() as node:
                if option == "yes":
                    return self._runner.go(session, frame, {}, node.yes, host)
                field = option.removeprefix("edit-")
                if option.startswith("edit-") and field in node.edit:
                    remember(frame)
                    frame.editing, frame.returns = field, node.after_edit or frame.node
                    frame.node = node.edit[field]
                    return StepResult(self._renderer.current_screen(session, host), option)
            case (Do() | Code()) as node if option in node.acts:
                return self._act(session, frame, node, option, host)
            case Look() as node:
                return self._look(session, frame, node, option, host)
        return self._navigation.stale_tap(host)

    def _unbound(self, session: Session, option: str, host: Host) -> StepResult | None:
        """An option that only opens something, of a notice or at the end of a conversation."""
        if option == "menu":
            return self._navigation.menu(session, host)
        if option == "help" and host.channel.phone_menu:
            return self._opening.command(session, option, host)
        if option in self._flows.newest:
            return self._opening.flow(session, option, host)
        name, about = split_option(option)
        return self._opening.repeat(session, name, about, host) if about else None

    def _act(
        self, session: Session, frame: Frame, node: Do | Code, option: str, host: Host
    ) -> StepResult:
        operation = frame.operation
        assert operation is not None
        match host.act(node.acts[option], operation):
            case Refusal() as refusal:
                return self._runner.refused(session, refusal, host)
            case Exit(name, facts):
                return self._runner.enter(session, frame, node.on[name], host, facts, name)
        screen = self._renderer.current_screen(session, host, replace=True)
        done = self._done(frame, option, host)
        return StepResult(screen, option, alert=done, operation=operation)

    def _look(
        self, session: Session, frame: Frame, node: Look, option: str, host: Host
    ) -> StepResult:
        if option in node.acts:
            operation = str(getattr(frame.data, node.args[0]))
            return self._look_act(session, frame, option, node.acts[option], operation, host)
        for act, action in node.item_acts.items() if option in frame.offered else ():
            item = str(frame.offered[option])
            if option == item_act_option(act, item):
                return self._look_act(session, frame, act, action, item, host)
        if option in ("more", "newer") and option in frame.offered:
            frame.cursor = frame.offered[option] or None  # the first page has no cursor
        elif option in frame.offered and node.into and node.to:
            value = frame.offered[option]
            if isinstance(frame.flow.node(node.to), Do):
                return self._runner.go(session, frame, {node.into: value}, node.to, host)
            remember(frame)
            fill(frame, {node.into: value})
            frame.node = node.to
        elif option != "refresh":
            return self._navigation.stale_tap(host)
        return StepResult(self._renderer.current_screen(session, host, replace=True), option)

    def _look_act(
        self, session: Session, frame: Frame, act: str, action: str, operation: str, host: Host
    ) -> StepResult:
        result = host.act(action, operation)
        screen = self._renderer.current_screen(session, host, replace=True)
        if isinstance(result, Refusal):
            text = self._renderer.say(host, f"refusal.{result.code}", result.facts)
            return StepResult(screen, result.code, alert=text)
        done = self._done(frame, act, host)
        return StepResult(screen, act, alert=done, operation=operation)

    def _done(self, frame: Frame, act: str, host: Host) -> str:
        """The brief alert after an act, since the screen itself may not change."""
        return self._renderer.say(host, f"{frame.flow.name}.{frame.node}.{act}-done")
