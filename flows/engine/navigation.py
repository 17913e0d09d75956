"""Leaving the open question by menu, cancel or back, resuming a parked flow, and asking again."""

from __future__ import annotations

from flows.engine.event import StepResult
from flows.engine.frames import abandon, data_facts, go_back, go_back_to_question, let_go, park
from flows.engine.host import Exit, Host
from flows.engine.node_runner import NodeRunner
from flows.engine.nodes import Ask, Code, Confirm, Do, Look, SecretKind
from flows.engine.screen_renderer import ScreenRenderer
from flows.engine.session import RESUME_NODE, FlowRegistry, Frame, Session
from flows.engine.texts import format_value
from flows.engine.typed_secrets import asks_for

MISSES_END = 3  # messages in a row that do not fit, after which a phone's session ends
MISSES_MAX = 2  # messages in a row that do not fit, after which the way out is named


class Navigation:
    def __init__(self, flows: FlowRegistry, renderer: ScreenRenderer, runner: NodeRunner) -> None:
        self._flows = flows
        self._renderer = renderer
        self._runner = runner

    def back(self, session: Session, frame: Frame, host: Host) -> StepResult:
        go_back(frame)
        looks = isinstance(frame.current_node, Look)
        return StepResult(self._renderer.current_screen(session, host, replace=looks), "back")

    def back_by_word(self, session: Session, host: Host) -> StepResult:
        """To the question before, or to the menu from the first one."""
        frame = session.active
        if frame is None or not frame.history or frame.node == RESUME_NODE:
            return self.menu(session, host)
        return self.back(session, frame, host)

    def resume(self, session: Session, frame: Frame, option: str, host: Host) -> StepResult:
        parked = session.parked.get(frame.flow.name)
        if option == "continue":
            active = session.active = session.parked.pop(frame.flow.name, Frame.start(frame.flow))
            node = active.flow.node(active.node)
            is_asked = isinstance(node, Confirm) and node.waits_for_others
            if host.channel.phone_menu and isinstance(node, Confirm | Code) and not is_asked:
                return self._at_question_before(session, active, host)
            if isinstance(node, Do) and active.waiting is None:  # its use case must run again first
                return self._runner.enter(session, active, node.id, host, {}, option)
            if isinstance(node, Code) and active.operation is not None:
                ended = host.act(node.status_use_case, active.operation)
                if isinstance(ended, Exit):
                    to = node.on[ended.name]
                    return self._runner.enter(session, active, to, host, ended.facts, ended.name)
        elif option == "restart":
            session.parked.pop(frame.flow.name, None)
            if parked is not None:
                let_go(parked, host)
            session.active = Frame.start(self._flows.newest[frame.flow.name])
        else:
            return self.stale_tap(host)
        operation = None if parked is None else parked.waiting
        return StepResult(self._renderer.current_screen(session, host), option, operation=operation)

    def _at_question_before(self, session: Session, frame: Frame, host: Host) -> StepResult:
        """Nobody answers blindly what is about money: at the last question before it, with what was
        answered there."""
        answered = data_facts(frame)
        go_back_to_question(frame)
        node = frame.current_node
        known = answered.get(node.into) if isinstance(node, Ask) else None
        above = None
        if known is not None:
            value = {"value": format_value(known, host.language)}
            above = self._renderer.say(host, "ussd.had_typed", value)
        screen = self._renderer.current_screen(session, host, above=above)
        return StepResult(screen, "continue")

    def menu(self, session: Session, host: Host) -> StepResult:
        park(session)
        return StepResult(self._renderer.menu(session, host), "menu")

    def cancel(self, session: Session, host: Host) -> StepResult:
        frame = session.active
        if frame is not None and frame.node == RESUME_NODE:
            frame = session.parked.pop(frame.flow.name, None)
        if frame is None and session.parked:
            frame = session.parked.pop(next(reversed(session.parked)))
        session.active = None
        if frame is not None:
            abandon(frame, host)
        if frame is None:
            key = "engine.nothing_to_cancel"
        elif frame.waiting is not None:
            key = f"goes_on.{frame.flow.name}"
        elif frame.flow.is_read_only or frame.at_menu:
            return StepResult(self._renderer.menu(session, host), "cancel")
        else:
            at_code = asks_for(frame.current_node, SecretKind.CODE)
            key = "engine.code_dead" if at_code else "engine.cancelled"
            beside = any(other.waiting is not None for other in session.parked.values())
            if beside or (host.channel.phone_menu and host.under_way() is not None):
                key = "engine.cancelled_beside"
        screen = self._renderer.menu(session, host, self._renderer.say(host, key))
        return StepResult(screen._replace(last=True), "cancel")

    def help(self, session: Session, host: Host) -> StepResult:
        text = self._renderer.main_menu.help(host)
        if host.channel.phone_menu:
            park(session)
            return StepResult(self._renderer.way_home(session, host, text), "help")
        return self.above(session, host, text, "help")

    def done(self, session: Session, host: Host) -> StepResult:
        session.active = None
        return StepResult(self._renderer.menu(session, host), "done")

    def stale_tap(self, host: Host) -> StepResult:
        return StepResult(None, "stale", alert=self._renderer.say(host, "engine.moved_on"))

    # Answers that change nothing -----------------------------------------------------------

    def above(self, session: Session, host: Host, text: str, why: str) -> StepResult:
        """A text, followed by the open question again."""
        if session.active is None:
            return StepResult(self._renderer.menu(session, host, text), why)
        return StepResult(self._renderer.current_screen(session, host, above=text), why)

    def reprompt(self, session: Session, host: Host, why: str) -> StepResult:
        """A short answer, followed by the open question again."""
        return self.above(session, host, self._renderer.say(host, f"engine.{why}"), why)

    def missed(self, session: Session, host: Host, text: str, why: str) -> StepResult:
        """What was typed does not fit: say so with a hint, and the second time with the way out."""
        session.misses += 1
        if session.misses >= MISSES_MAX:
            text = f"{text} {self._renderer.say(host, 'engine.way_out')}"
        return self.above(session, host, text.rstrip(), why)

    def say_how_to_decide(self, session: Session, host: Host) -> StepResult:
        """At a Confirm, money is decided by its button, or its number, and never by a word."""
        why = "yes_is_tapped" if host.channel.buttons else "yes_is_numbered"
        frame, node = session.active, session.current_node
        assert frame is not None
        assert isinstance(node, Confirm)
        label = self._renderer.yes_label(frame, node, host)
        text = f"{self._renderer.say(host, 'engine.tap_please')} "
        text += self._renderer.say(host, f"engine.{why}", {"label": label})
        return self.above(session, host, text.rstrip(), why)

    def not_text(self, session: Session, host: Host, album: str) -> StepResult:
        """Answer an album only once, though it arrives picture by picture."""
        if album and session.album == album:
            return StepResult(None, "same_album")
        session.album = album or None
        return self.reprompt(session, host, "not_text")
