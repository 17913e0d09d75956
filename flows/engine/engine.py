"""One step of a conversation: a session and an event in, the session and a screen out.

Pure except for its host, which runs use cases in the turn's own transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flows.engine.declarations import Declarations, waits
from flows.engine.event import Event, EventKind, Screen, StepResult
from flows.engine.frames import data_facts, drop_forbidden_frames, drop_parked, fill, park, remember
from flows.engine.host import Exit, Host
from flows.engine.navigation import Navigation
from flows.engine.node_runner import NodeRunner
from flows.engine.nodes import Ask, Choose, Code, Confirm, Contact, Do, Flow, Look
from flows.engine.screen_renderer import ScreenRenderer
from flows.engine.session import (
    RESUME_NODE,
    FlowRegistry,
    Frame,
    Session,
)
from flows.engine.texts import Texts
from flows.parsers.values import read_mobile
from services.domain.otp import read_code
from services.domain.refusal import Refusal

UNBOUND = 0  # the turn of a button that only opens a flow, and never goes stale


class Engine:
    def __init__(self, flows: FlowRegistry, texts: Texts, declared: Declarations) -> None:
        self.flows = flows
        self.texts = texts
        self._declared = declared
        self._renderer = ScreenRenderer(flows, texts)
        self._runner = NodeRunner(flows, self._renderer)
        self._navigation = Navigation(flows, self._renderer, self._runner)

    def step(self, session: Session, event: Event, host: Host) -> StepResult:
        """Handle one event; changes ``session``, and the database only through ``host``."""
        stranger = host.entry_refusal()
        if stranger is not None and not self._lets_in(session, event):
            text = self._renderer.say(host, f"refusal.{stranger.code}", stranger.facts)
            if event.kind is EventKind.TAP:
                return StepResult(None, stranger.code, alert=text)
            return StepResult(Screen(text), stranger.code)
        refusal = drop_forbidden_frames(session, host)
        if refusal is not None and stranger is None:  # an invitation starts over
            return self._refused(session, refusal, host)
        if event.kind is EventKind.TEXT and event.picks:
            event = self._picked(session, event, host)
        closed = session.closed
        if event.kind is not EventKind.TAP:
            session.closed = None
        match event.kind:
            case EventKind.TAP:
                return self._tap(session, event, host)
            case EventKind.COMMAND:
                return self._command(session, event.text, host, event.argument)
            case EventKind.TEXT:
                wipe = self.may_be_code(session, event.text)
                step = self._text(session, event.text, host, closed)
                return step._replace(wipe=True) if wipe else step
            case EventKind.CONTACT:
                return self._contact(session, event, host)
            case EventKind.EDIT:
                return self._reprompt(session, host, "edited")
            case EventKind.OTHER:
                return self._not_text(session, host, event.argument)

    @staticmethod
    def _lets_in(session: Session, event: Event) -> bool:
        """A stranger may open an invitation and continue the flow it started."""
        if event.kind is EventKind.COMMAND and event.text == "start":
            return bool(event.argument)
        return session.active is not None and session.active.flow.needs is None

    def commands(self, host: Host) -> list[tuple[str, str]]:
        """The commands this person can use, each with its description."""
        return self._renderer.commands(host)

    def finish_operation(self, session: Session, flow: str, operation: str, exit_name: str) -> str:
        """Close the frame that waits for an operation that has ended, if there is one.

        Returns the text key of the outcome's End, whether or not a frame waits.
        """
        for frame in (session.active, *session.parked.values()):
            if frame is not None and frame.operation == operation:
                if frame is session.active:
                    session.active, session.bare = None, True
                else:
                    del session.parked[frame.flow.name]
        return f"{flow}.{self._exits(self.flows.newest[flow])[exit_name]}.ask"

    def live_screen(self, session: Session, operation: str, host: Host) -> Screen | None:
        """The operation's live screen, redrawn for the same turn, if the person is waiting on it
        now."""
        frame = session.active
        if frame is None or frame.waiting != operation:
            return None
        return self._redrawn(session, host)

    def _redrawn(self, session: Session, host: Host) -> Screen:
        """Redraw the current screen without changing the session."""
        frame = session.active
        copy = replace(session, active=None if frame is None else replace(frame))
        return self._renderer.current_screen(copy, host)

    def _exits(self, flow: Flow) -> Mapping[str, str]:
        """The exits by which the flow's operations end, at its code or while it waits."""
        exits: dict[str, str] = {}
        for node in flow.nodes:
            if isinstance(node, Code) or (
                isinstance(node, Do) and waits(self._declared, node.use_case)
            ):
                exits |= node.on
        return exits

    @staticmethod
    def may_be_code(session: Session, text: str) -> bool:
        """Whether the text may be a code: anything typed at a code question, and anything that
        looks like a code while such a question is parked."""
        for frame in (session.active, *session.parked.values()):
            if frame is None or frame.node == RESUME_NODE:
                continue
            if isinstance(frame.flow.node(frame.node), Code) and (
                frame is session.active or read_code(text) is not None
            ):
                return True
        return False

    # Inputs --------------------------------------------------------------------------------

    def _picked(self, session: Session, event: Event, host: Host) -> Event:
        """Where a channel has no buttons, turn a typed number into a tap, unless the question takes
        text."""
        frame = session.active
        asks = (
            frame is not None
            and frame.node != RESUME_NODE
            and isinstance(frame.flow.node(frame.node), Ask | Code | Contact)
        )
        if asks or session.bare:
            return event
        text = event.text.strip()
        if not (text.isascii() and text.isdigit() and len(text) <= 2):
            return event
        options = self._options(session, host)
        if not 1 <= int(text) <= len(options):
            return event
        return Event(
            event.channel,
            event.address,
            event.event_id,
            EventKind.TAP,
            turn=session.turn,
            option=options[int(text) - 1],
            message_id=event.message_id,
        )

    def _options(self, session: Session, host: Host) -> list[str]:
        """The option ids of the current screen, in reading order."""
        return [button.id for row in self._redrawn(session, host).rows for button in row]

    def _tap(self, session: Session, event: Event, host: Host) -> StepResult:
        option = event.option
        frame = session.active
        if event.turn == UNBOUND and option in self.flows.newest:
            return self._command(session, option, host)
        if event.turn != session.turn:
            return self._navigation.stale_tap(host)
        if option == "menu":
            return self._navigation.menu(session, host)
        if frame is None:
            if option == "help" or option in self.flows.newest:
                return self._command(session, option, host)
            if session.closed is not None:
                return StepResult(
                    None, "expired", alert=self._renderer.say(host, "engine.moved_on_closed")
                )
            return self._navigation.stale_tap(host)
        if frame.node == RESUME_NODE:
            return self._navigation.resume(session, frame, option, host)
        if option == "cancel":
            return self._navigation.cancel(session, host)
        if option == "back" and frame.history:
            return self._navigation.back(session, frame, host)
        match frame.flow.node(frame.node):
            case Ask() as node if option in frame.offered:
                return self._runner.go(
                    session, frame, {node.into: frame.offered[option]}, node.to, host
                )
            case Choose() as node:
                if option in frame.offered and node.into and node.to:
                    value = frame.offered[option]
                    return self._runner.go(session, frame, {node.into: value}, node.to, host)
                for choice in node.options:
                    if choice.id == option:
                        facts = host.facts()
                        values = {name: facts[fact] for name, fact in choice.set.items()}
                        values |= choice.puts
                        return self._runner.go(session, frame, values, choice.to, host)
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

    def _act(
        self, session: Session, frame: Frame, node: Do | Code, option: str, host: Host
    ) -> StepResult:
        operation = frame.operation
        assert operation is not None
        match host.act(node.acts[option], operation):
            case Refusal(code, refused):
                above = self._renderer.say(host, f"refusal.{code}", refused)
                return StepResult(self._renderer.current_screen(session, host, above=above), code)
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
            result = host.act(node.acts[option], operation)
            screen = self._renderer.current_screen(session, host, replace=True)
            if isinstance(result, Refusal):
                text = self._renderer.say(host, f"refusal.{result.code}", result.facts)
                return StepResult(screen, result.code, alert=text)
            done = self._done(frame, option, host)
            return StepResult(screen, option, alert=done, operation=operation)
        if option in ("more", "newer") and option in frame.offered:
            frame.cursor = frame.offered[option] or None  # the first page has no cursor
        elif option in frame.offered and node.into and node.to:
            remember(frame)
            fill(frame, {node.into: frame.offered[option]})
            frame.node = node.to
        elif option != "refresh":
            return self._navigation.stale_tap(host)
        return StepResult(self._renderer.current_screen(session, host, replace=True), option)

    def _text(self, session: Session, text: str, host: Host, closed: str | None) -> StepResult:
        frame = session.active
        text = text.strip()
        if frame is None:
            word = text.casefold()
            known = self.flows.for_command(word, False, host) is not None
            if known or word in ("help", "menu", "cancel"):
                return self._command(session, word, host)
            if closed is not None:
                flow = self._renderer.say(host, f"menu.{closed}")
                above = self._renderer.say(host, "engine.expired", {"flow": flow})
                return StepResult(self._renderer.menu(session, host, above), "expired")
            if session.turn == 0:  # somebody's very first message
                return StepResult(self._renderer.menu(session, host), "menu")
            above = self._renderer.say(host, "engine.not_understood")
            return StepResult(self._renderer.menu(session, host, above), "not_understood")
        node = None if frame.node == RESUME_NODE else frame.flow.node(frame.node)
        if isinstance(node, Choose) and node.typed is not None:
            ask = frame.flow.node(node.typed)
            assert isinstance(ask, Ask)
            if not isinstance(value := ask.parse(text, host), Refusal):
                return self._runner.go(session, frame, {ask.into: value}, ask.to, host)
        if isinstance(node, Code):
            return self._code(session, frame, node, text, host)
        if isinstance(node, Contact):
            if host.shares_contacts:
                return self._reprompt(session, host, "share_please")
            return self._number(session, frame, node, text, host)
        if not isinstance(node, Ask):
            return self._reprompt(session, host, "tap_please")
        value = node.parse(text, host)
        if isinstance(value, Refusal):
            above = self._renderer.say(host, f"refusal.{value.code}", value.facts)
            return StepResult(self._renderer.current_screen(session, host, above=above), value.code)
        return self._runner.go(session, frame, {node.into: value}, node.to, host)

    def _code(
        self, session: Session, frame: Frame, node: Code, text: str, host: Host
    ) -> StepResult:
        """Pass the text to the use case if it can be a code; it is stored nowhere."""
        operation = frame.operation
        assert operation is not None
        known = data_facts(frame)
        args = {name: known[name] for name in node.args}
        code = read_code(text)
        result = (
            Refusal("not_a_code")
            if code is None
            else host.check_code(node.use_case, args, operation, code)
        )
        match result:
            case Refusal(why, refused):
                above = self._renderer.say(host, f"refusal.{why}", refused)
                return StepResult(self._renderer.current_screen(session, host, above=above), why)
            case Exit(name, facts):
                return self._runner.enter(session, frame, node.on[name], host, facts, name)

    def _contact(self, session: Session, event: Event, host: Host) -> StepResult:
        """Only the sender's own contact card, not a forwarded one, proves that the number is
        theirs."""
        frame = session.active
        node = None if frame is None or frame.node == RESUME_NODE else frame.flow.node(frame.node)
        if frame is None or not isinstance(node, Contact):
            return self._reprompt(session, host, "no_contact_wanted")
        if event.option != "own":
            host.note_suspicious("contact_of_another")
            return self._reprompt(session, host, "not_own_contact")
        return self._number(session, frame, node, f"+{event.text}", host)

    def _number(
        self, session: Session, frame: Frame, node: Contact, text: str, host: Host
    ) -> StepResult:
        phone = read_mobile(text)
        if isinstance(phone, Refusal):
            above = self._renderer.say(host, f"refusal.{phone.code}", phone.facts)
            return StepResult(self._renderer.current_screen(session, host, above=above), phone.code)
        return self._runner.go(session, frame, {node.into: phone}, node.to, host)

    def _command(self, session: Session, word: str, host: Host, argument: str = "") -> StepResult:
        if word == "menu" or (word == "start" and not argument):
            return self._navigation.menu(session, host)
        if word == "cancel":
            return self._navigation.cancel(session, host)
        if word == "help":
            text = self._renderer.help(host)
            if session.active is None:
                return StepResult(self._renderer.menu(session, host, text), "help")
            return StepResult(self._renderer.current_screen(session, host, above=text), "help")
        flow = self.flows.for_command(word, bool(argument), host)
        if flow is None:
            return self._reprompt(session, host, "unknown_command")
        refusal = host.open_refusal(flow.name, flow.needs)
        if refusal is not None:
            return self._refused(session, refusal, host)
        park(session)
        starts = flow.node(flow.start)
        if argument and flow.takes_argument:
            drop_parked(session, flow.name, host)
            session.active = Frame.start(flow)
            return self._text(session, argument, host, None)
        if isinstance(starts, Do):
            drop_parked(session, flow.name, host)
            frame = session.active = Frame.start(flow)
            return self._runner.enter(session, frame, flow.start, host, {}, "opened")
        if flow.name in session.parked:
            frame = session.parked[flow.name]
            session.active = Frame(flow, RESUME_NODE, flow.data())
            return StepResult(
                self._renderer.current_screen(session, host), "resume", operation=frame.waiting
            )
        session.active = Frame.start(flow)
        return StepResult(self._renderer.current_screen(session, host), "opened")

    def _done(self, frame: Frame, act: str, host: Host) -> str:
        """The brief alert after an act, since the screen itself may not change."""
        return self._renderer.say(host, f"{frame.flow.name}.{frame.node}.{act}-done")

    # Answers that change nothing -----------------------------------------------------------

    def _reprompt(self, session: Session, host: Host, why: str) -> StepResult:
        """A short answer, followed by the open question again."""
        above = self._renderer.say(host, f"engine.{why}")
        return StepResult(self._renderer.current_screen(session, host, above=above), why)

    def _not_text(self, session: Session, host: Host, album: str) -> StepResult:
        """Answer an album only once, though it arrives picture by picture."""
        if album and session.album == album:
            return StepResult(None, "same_album")
        session.album = album or None
        return self._reprompt(session, host, "not_text")

    def _refused(self, session: Session, refusal: Refusal, host: Host) -> StepResult:
        text = self._renderer.say(host, f"refusal.{refusal.code}", refusal.facts)
        return StepResult(self._renderer.current_screen(session, host, above=text), refusal.code)
