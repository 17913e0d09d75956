"""One step of a conversation: the session and an event in, the session and a screen out.

It is pure but for its host, which runs use cases in the turn's own transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from flows.engine.event import Event, EventKind, Screen
from flows.engine.host import Exit, Host, OperationStarted
from flows.engine.nodes import Ask, Call, Choose, Code, Confirm, Contact, Do, End, Flow, Look
from flows.engine.screen_renderer import ScreenRenderer, data_facts
from flows.engine.session import (
    HISTORY_MAX,
    RESUME_NODE,
    FlowRegistry,
    Frame,
    HistoryEntry,
    Session,
)
from flows.engine.texts import Texts
from flows.parsers.values import read_mobile
from services.domain.otp import read_code
from services.domain.partner import Right
from services.domain.refusal import Refusal

UNBOUND = 0  # the turn of a button that only opens a flow, and never grows old
HOPS_MAX = 20  # nodes passed in one step; more is a loop in a flow


class StepResult(NamedTuple):
    """``outcome`` is for the trail: the exit taken, or why nothing happened. ``wipe`` says that
    what the person typed must not stay in the chat."""

    screen: Screen | None
    transition: str
    alert: str | None = None
    operation: str | None = None
    wipe: bool = False


class Engine:
    def __init__(self, flows: FlowRegistry, texts: Texts) -> None:
        self.flows = flows
        self.texts = texts
        self._renderer = ScreenRenderer(flows, texts)

    def step(self, session: Session, event: Event, host: Host) -> StepResult:
        """Take one event; changes ``session``, and the database only through ``host``."""
        stranger = host.entry_refusal()
        if stranger is not None and not self._lets_in(session, event):
            text = self._renderer.say(host, f"refusal.{stranger.code}", stranger.facts)
            if event.kind is EventKind.TAP:
                return StepResult(None, stranger.code, alert=text)
            return StepResult(Screen(text), stranger.code)
        refusal = self._drop_forbidden_frames(session, host)
        if refusal is not None and stranger is None:  # an invitation begins anew
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

    def _drop_forbidden_frames(self, session: Session, host: Host) -> Refusal | None:
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
            self._abandon(frame, host)
        return refusal

    @staticmethod
    def _lets_in(session: Session, event: Event) -> bool:
        """A stranger may follow an invitation, and go on with what it began."""
        if event.kind is EventKind.COMMAND and event.text == "start":
            return bool(event.argument)
        return session.active is not None and session.active.flow.needs is None

    def commands(self, host: Host) -> list[tuple[str, str]]:
        """What there is for this person: each command, and what it does."""
        return self._renderer.commands(host)

    def finish_operation(self, session: Session, flow: str, operation: str, exit_name: str) -> str:
        """An operation has ended: close the frame that waits for it, if one does.

        Returns the key of the End that says how, whoever waits or not.
        """
        for frame in (session.active, *session.parked.values()):
            if frame is not None and frame.operation == operation:
                if frame is session.active:
                    session.active, session.bare = None, True
                else:
                    del session.parked[frame.flow.name]
        return f"{flow}.{self._exits(self.flows.newest[flow])[exit_name]}.ask"

    def live_screen(self, session: Session, operation: str, host: Host) -> Screen | None:
        """The live screen of an operation that is waited for here and now, on its own turn."""
        frame = session.active
        if frame is None or frame.waiting != operation:
            return None
        return self._redrawn(session, host)

    def _redrawn(self, session: Session, host: Host) -> Screen:
        """The screen that is up, drawn once more: nothing of the session changes."""
        frame = session.active
        copy = replace(session, active=None if frame is None else replace(frame))
        return self._renderer.current_screen(copy, host)

    @staticmethod
    def _exits(flow: Flow) -> Mapping[str, str]:
        """Where operations of the flow end: at its code, or while they are waited for."""
        exits: dict[str, str] = {}
        for node in flow.nodes:
            if isinstance(node, Code) or (isinstance(node, Do) and node.waits):
                exits |= node.on
        return exits

    @staticmethod
    def may_be_code(session: Session, text: str) -> bool:
        """Whatever is typed at the question for a code, and what looks like one while such a
        question is parked."""
        for frame in (session.active, *session.parked.values()):
            if frame is None or frame.node == RESUME_NODE:
                continue
            if isinstance(frame.flow.node(frame.node), Code) and (
                frame is session.active or read_code(text) is not None
            ):
                return True
        return False

    # What comes in -------------------------------------------------------------------------

    def _picked(self, session: Session, event: Event, host: Host) -> Event:
        """In a channel without buttons a number picks, where the question takes no text."""
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
        """The option ids of the screen that is up, in reading order."""
        return [button.id for row in self._redrawn(session, host).rows for button in row]

    def _tap(self, session: Session, event: Event, host: Host) -> StepResult:
        option = event.option
        frame = session.active
        if event.turn == UNBOUND and option in self.flows.newest:
            return self._command(session, option, host)
        if event.turn != session.turn:
            return self._stale_tap(host)
        if option == "menu":
            return self._menu(session, host)
        if frame is None:
            if option == "help" or option in self.flows.newest:
                return self._command(session, option, host)
            if session.closed is not None:
                return StepResult(
                    None, "expired", alert=self._renderer.say(host, "engine.moved_on_closed")
                )
            return self._stale_tap(host)
        if frame.node == RESUME_NODE:
            return self._resume(session, frame, option, host)
        if option == "cancel":
            return self._cancel(session, host)
        if option == "back" and frame.history:
            return self._back(session, frame, host)
        match frame.flow.node(frame.node):
            case Ask() as node if option in frame.offered:
                return self._answer(session, frame, node.into, frame.offered[option], node.to, host)
            case Choose() as node:
                if option in frame.offered and node.into and node.to:
                    value = frame.offered[option]
                    return self._answer(session, frame, node.into, value, node.to, host)
                for choice in node.options:
                    if choice.id == option:
                        facts = host.facts()
                        values = {name: facts[fact] for name, fact in choice.set.items()}
                        values |= choice.puts
                        return self._go(session, frame, values, choice.to, host)
            case Confirm() as node:
                if option == "yes":
                    return self._go(session, frame, {}, node.yes, host)
                field = option.removeprefix("edit-")
                if option.startswith("edit-") and field in node.edit:
                    self._remember(frame)
                    frame.editing, frame.returns = field, node.after_edit or frame.node
                    frame.node = node.edit[field]
                    return StepResult(self._renderer.current_screen(session, host), option)
            case (Do() | Code()) as node if option in node.acts:
                return self._act(session, frame, node, option, host)
            case Look() as node:
                return self._look(session, frame, node, option, host)
        return self._stale_tap(host)

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
                return self._enter(session, frame, node.on[name], host, facts, name)
        screen = self._renderer.current_screen(session, host, replace=True)
        done = self._done(frame, option, host)
        return StepResult(screen, option, alert=done, operation=operation)

    def _look(
        self, session: Session, frame: Frame, node: Look, option: str, host: Host
    ) -> StepResult:
        if option in node.acts:
            operation = str(getattr(frame.data, node.args[0]))
            host.act(node.acts[option], operation)
            screen = self._renderer.current_screen(session, host, replace=True)
            done = self._done(frame, option, host)
            return StepResult(screen, option, alert=done, operation=operation)
        if option in ("more", "newer") and option in frame.offered:
            frame.cursor = frame.offered[option] or None  # the first page has none
        elif option in frame.offered and node.into and node.to:
            self._remember(frame)
            self._set(frame, {node.into: frame.offered[option]})
            frame.node = node.to
        elif option != "refresh":
            return self._stale_tap(host)
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
            if session.turn == 0:  # the first word of somebody who has seen nothing yet
                return StepResult(self._renderer.menu(session, host), "menu")
            above = self._renderer.say(host, "engine.not_understood")
            return StepResult(self._renderer.menu(session, host, above), "not_understood")
        node = None if frame.node == RESUME_NODE else frame.flow.node(frame.node)
        if isinstance(node, Choose) and node.typed is not None:
            ask = frame.flow.node(node.typed)
            assert isinstance(ask, Ask)
            if not isinstance(value := ask.parse(text, host), Refusal):
                return self._answer(session, frame, ask.into, value, ask.to, host)
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
        return self._answer(session, frame, node.into, value, node.to, host)

    def _code(
        self, session: Session, frame: Frame, node: Code, text: str, host: Host
    ) -> StepResult:
        """What was typed goes to the use case if it can be a code; it is remembered nowhere."""
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
                return self._enter(session, frame, node.on[name], host, facts, name)

    def _contact(self, session: Session, event: Event, host: Host) -> StepResult:
        """Only the sender's own card, sent first-hand, says that the number is theirs."""
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
        return self._answer(session, frame, node.into, phone, node.to, host)

    def _command(self, session: Session, word: str, host: Host, argument: str = "") -> StepResult:
        if word == "menu" or (word == "start" and not argument):
            return self._menu(session, host)
        if word == "cancel":
            return self._cancel(session, host)
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
        self._park(session)
        starts = flow.node(flow.start)
        if argument and flow.takes_argument:
            self._drop(session, flow.name, host)
            session.active = Frame.start(flow)
            return self._text(session, argument, host, None)
        if isinstance(starts, Do):
            self._drop(session, flow.name, host)
            frame = session.active = Frame.start(flow)
            return self._enter(session, frame, flow.start, host, {}, "opened")
        if flow.name in session.parked:
            frame = session.parked[flow.name]
            session.active = Frame(flow, RESUME_NODE, flow.data())
            return StepResult(
                self._renderer.current_screen(session, host), "resume", operation=frame.waiting
            )
        session.active = Frame.start(flow)
        return StepResult(self._renderer.current_screen(session, host), "opened")

    # Moves ---------------------------------------------------------------------------------

    def _answer(
        self, session: Session, frame: Frame, into: str, value: Any, to: str, host: Host
    ) -> StepResult:
        return self._go(session, frame, {into: value}, to, host)

    def _go(
        self, session: Session, frame: Frame, values: Mapping[str, Any], to: str, host: Host
    ) -> StepResult:
        """Leave the node with ``values`` and enter ``to``, running what need not be asked."""
        self._remember(frame)
        self._set(frame, values)
        frame.cursor = None
        if frame.editing is not None and frame.editing in values:
            assert frame.returns is not None
            to, frame.editing, frame.returns = frame.returns, None, None
        return self._enter(session, frame, to, host, {}, to)

    def _enter(
        self,
        session: Session,
        frame: Frame,
        to: str,
        host: Host,
        facts: Mapping[str, Any],
        transition: str,
    ) -> StepResult:
        """Enter ``to``, running what need not be asked, until there is a screen to show."""
        above: str | None = None
        operation = frame.operation
        for _ in range(HOPS_MAX):
            frame.node = to
            node = frame.flow.node(to)
            if isinstance(node, Call):
                return self._call(session, frame, node, host)
            if isinstance(node, Code):
                frame.history.clear()  # what was confirmed is not taken back by a step back
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
                    self._set(frame, sets)
                    operation = frame.operation
                    transition, to = name, node.on[name]
                case Refusal(code, refused):
                    transition, to = code, node.on["refused"]
                    facts = {"reason": self._renderer.say(host, f"refusal.{code}", refused)}
        raise RuntimeError(f"{frame.flow.name} does not come to rest")

    def _call(self, session: Session, frame: Frame, node: Call, host: Host) -> StepResult:
        """Park this flow where it goes on later, and begin the other with what is known here."""
        known = data_facts(frame)
        frame.node = node.to
        frame.history.clear()
        session.parked[frame.flow.name] = frame
        self._drop(session, node.flow, host)
        sub = session.active = Frame.start(self.flows.newest[node.flow])
        self._set(sub, {name: known[field] for name, field in node.gives.items()})
        sub.node = node.at
        return StepResult(self._renderer.current_screen(session, host), node.id)

    def _back(self, session: Session, frame: Frame, host: Host) -> StepResult:
        place = frame.history.pop()
        frame.node, frame.editing, frame.returns = place.node, place.editing, place.returns
        frame.data = frame.flow.data.model_validate(place.data)
        looks = isinstance(frame.flow.node(frame.node), Look)
        return StepResult(self._renderer.current_screen(session, host, replace=looks), "back")

    def _remember(self, frame: Frame) -> None:
        """Keep this place, node and data, for "back"."""
        data = frame.data.model_dump(mode="json", exclude_none=True)
        frame.history.append(HistoryEntry(frame.node, data, frame.editing, frame.returns))
        del frame.history[:-HISTORY_MAX]

    def _set(self, frame: Frame, values: Mapping[str, Any]) -> None:
        """Put values through the data's own types: a suggestion comes back from JSON."""
        if values:
            known = {**data_facts(frame), **values}
            frame.data = frame.flow.data.model_validate(known)

    def _park(self, session: Session) -> None:
        frame = session.active
        session.active = None
        if frame is not None and frame.in_the_middle:
            session.parked[frame.flow.name] = frame

    def _resume(self, session: Session, frame: Frame, option: str, host: Host) -> StepResult:
        parked = session.parked.get(frame.flow.name)
        if option == "continue":
            active = session.active = session.parked.pop(frame.flow.name, Frame.start(frame.flow))
            node = active.flow.node(active.node)
            if isinstance(node, Do) and active.waiting is None:  # it waits to be worked out anew
                return self._enter(session, active, node.id, host, {}, option)
            if isinstance(node, Code) and active.operation is not None:
                ended = host.act(node.status_use_case, active.operation)
                if isinstance(ended, Exit):
                    to = node.on[ended.name]
                    return self._enter(session, active, to, host, ended.facts, ended.name)
        elif option == "restart":
            session.parked.pop(frame.flow.name, None)
            if parked is not None:
                self._abandon(parked, host)
            session.active = Frame.start(self.flows.newest[frame.flow.name])
        else:
            return self._stale_tap(host)
        operation = None if parked is None else parked.waiting
        return StepResult(self._renderer.current_screen(session, host), option, operation=operation)

    def _menu(self, session: Session, host: Host) -> StepResult:
        self._park(session)
        return StepResult(self._renderer.menu(session, host), "menu")

    def _cancel(self, session: Session, host: Host) -> StepResult:
        frame = session.active
        if frame is not None and frame.node == RESUME_NODE:
            frame = session.parked.pop(frame.flow.name, None)
        if frame is None and session.parked:
            frame = session.parked.pop(next(reversed(session.parked)))
        session.active = None
        if frame is not None:
            self._abandon(frame, host)
        if frame is None:
            key = "engine.nothing_to_cancel"
        elif frame.waiting is not None:
            key = f"goes_on.{frame.flow.name}"
        elif frame.flow.is_read_only:
            return StepResult(self._renderer.menu(session, host), "cancel")
        else:
            at_code = isinstance(frame.flow.node(frame.node), Code)
            key = "engine.code_dead" if at_code else "engine.cancelled"
        text = self._renderer.say(host, key)
        return StepResult(self._renderer.menu(session, host, text), "cancel")

    def _abandon(self, frame: Frame, host: Host) -> None:
        """An operation that was begun, and is not waited for yet, is not wanted any more."""
        if frame.flow.cancel_use_case is not None and frame.waiting is None and frame.operation:
            host.act(frame.flow.cancel_use_case, frame.operation)

    def _drop(self, session: Session, flow: str, host: Host) -> None:
        """Begin a flow anew; what waits in the parked one for the bank is told of when it ends."""
        gone = session.parked.pop(flow, None)
        if gone is not None:
            self._abandon(gone, host)

    def _done(self, frame: Frame, act: str, host: Host) -> str:
        """What to say for a moment when an act was done: the screen itself may not change."""
        return self._renderer.say(host, f"{frame.flow.name}.{frame.node}.{act}-done")

    # Answers that change nothing -----------------------------------------------------------

    def _reprompt(self, session: Session, host: Host, why: str) -> StepResult:
        """A short answer, and the question that is still open."""
        above = self._renderer.say(host, f"engine.{why}")
        return StepResult(self._renderer.current_screen(session, host, above=above), why)

    def _not_text(self, session: Session, host: Host, album: str) -> StepResult:
        """Said once of an album, which comes picture by picture."""
        if album and session.album == album:
            return StepResult(None, "same_album")
        session.album = album or None
        return self._reprompt(session, host, "not_text")

    def _refused(self, session: Session, refusal: Refusal, host: Host) -> StepResult:
        text = self._renderer.say(host, f"refusal.{refusal.code}", refusal.facts)
        return StepResult(self._renderer.current_screen(session, host, above=text), refusal.code)

    def _stale_tap(self, host: Host) -> StepResult:
        return StepResult(None, "stale", alert=self._renderer.say(host, "engine.moved_on"))
