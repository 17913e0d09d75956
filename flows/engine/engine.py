"""One step of a conversation: a session and an event in, the session and a screen out.

Pure except for its host, which runs use cases in the turn's own transaction.
"""

from __future__ import annotations

from collections.abc import Mapping

from flows.engine.answers import Answers
from flows.engine.declarations import Declarations, waits
from flows.engine.dialling import Dialling
from flows.engine.event import Event, EventKind, Rows, Screen, StepResult
from flows.engine.frames import acts_while_waiting, drop_forbidden_frames
from flows.engine.host import Host
from flows.engine.navigation import Navigation
from flows.engine.node_runner import NodeRunner
from flows.engine.nodes import Code, Do, Flow, SecretKind
from flows.engine.opening import Opening
from flows.engine.screen_renderer import ScreenRenderer
from flows.engine.session import Ended, FlowRegistry, Session
from flows.engine.taps import Taps
from flows.engine.texts import Texts
from flows.engine.typed_input import TypedInput
from flows.engine.typed_secrets import asks_for, find_code, is_pin
from flows.engine.typed_values import TypedValues
from flows.engine.typed_words import TypedWords


class Engine:
    def __init__(self, flows: FlowRegistry, texts: Texts, declared: Declarations) -> None:
        self.flows = flows
        self.texts = texts
        self._declared = declared
        self._renderer = ScreenRenderer(flows, texts)
        self._runner = NodeRunner(flows, self._renderer)
        self._navigation = Navigation(flows, self._renderer, self._runner)
        self._answers = Answers(self._renderer, self._runner, self._navigation)
        words = TypedWords(flows, texts)
        values = TypedValues(self._renderer, self._runner, words)
        self._opening = Opening(flows, self._renderer, self._runner, self._navigation, values)
        self._dialling = Dialling(flows, self._renderer, self._runner)
        self._taps = Taps(flows, self._renderer, self._runner, self._navigation, self._opening)
        self._typed_input = TypedInput(
            self._renderer,
            self._navigation,
            self._answers,
            self._opening,
            self._taps,
            words,
        )

    def step(self, session: Session, event: Event, host: Host) -> StepResult:
        """Handle one event; changes ``session``, and the database only through ``host``."""
        stranger = host.entry_refusal()
        if stranger is not None and not self._lets_in(session, event):
            text = self._renderer.say(host, f"refusal.{stranger.code}", stranger.facts)
            if event.kind is EventKind.TAP:
                return StepResult(None, stranger.code, alert=text)
            pin = is_pin(session, f"{event.text} {event.argument}")
            return StepResult(Screen(text), stranger.code, wipe=pin)
        refusal = drop_forbidden_frames(session, host)
        if refusal is not None and stranger is None:  # an invitation starts over
            return self._runner.refused(session, refusal, host)
        closed, misses = session.closed, session.misses
        if event.kind is not EventKind.TAP:
            session.closed = None
        step = self._step(session, event, host, closed)
        if session.misses == misses and step.screen is not None:
            session.misses = 0
        return step

    def _step(self, session: Session, event: Event, host: Host, closed: str | None) -> StepResult:
        match event.kind:
            case EventKind.TAP:
                return self._taps.tap(session, event, host)
            case EventKind.COMMAND:
                return self._command(session, event, host)
            case EventKind.TEXT:
                return self._typed_input.step(session, event, host, closed)
            case EventKind.CONTACT:
                return self._answers.contact(session, event, host)
            case EventKind.FILE:
                return self._opening.file(session, event, host)
            case EventKind.EDIT:
                taken = self._typed_input.secret(session, event.text, host)
                step = taken or self._navigation.reprompt(session, host, "edited")
                may_be_pin = any(map(str.isdigit, event.text)) and asks_for(
                    session.current_node, SecretKind.PIN
                )
                return step._replace(wipe=True) if may_be_pin else step
            case EventKind.DIAL:
                fresh = event.argument == "fresh"
                return self._dialling.dial(session, host, fresh=fresh)
            case EventKind.OTHER:
                return self._navigation.not_text(session, host, event.argument)

    def _command(self, session: Session, event: Event, host: Host) -> StepResult:
        """A secret behind a command is none of its values. What looks like a PIN may be an amount,
        so it is only taken out of the chat."""
        at_pin = asks_for(session.current_node, SecretKind.PIN)
        if asks_for(session.current_node, SecretKind.CODE) and find_code(event.argument):
            assert session.active is not None
            step = self._answers.typed(session, session.active, event.argument, host)
            return step._replace(wipe=True)
        taken = None
        if event.argument:
            taken = self._typed_input.secret(session, event.argument, host)
        step = taken or self._opening.command(session, event.text, host, event.argument)
        return step._replace(wipe=True) if at_pin and event.argument else step

    @staticmethod
    def _lets_in(session: Session, event: Event) -> bool:
        """A stranger may open an invitation and continue the flow it started."""
        if event.kind is EventKind.COMMAND and event.text == "start":
            return bool(event.argument)
        return session.active is not None and session.active.flow.needs is None

    def commands(self, host: Host) -> list[tuple[str, str]]:
        """The commands this person can use, each with its description."""
        return self._renderer.main_menu.commands(host)

    def finish_operation(
        self,
        session: Session,
        flow: str,
        operation: str,
        exit_name: str,
        *,
        asked: bool = False,
        resumes: str | None = None,
    ) -> str:
        """Close the frame that waits for an operation that has ended, if there is one. ``asked``:
        it stays if its person can ask there how it ended. ``resumes`` as for ``next_steps``.

        Returns the text key of the outcome's End, whether or not a frame waits.
        """
        ended = self._end(flow, exit_name, operation)._replace(resumes=resumes)
        for frame in session.frames:
            if frame.operation == operation:
                if asked and acts_while_waiting(frame):
                    continue
                if frame is session.active:
                    session.active = None
                    session.ended = ended._replace(by_itself=True)
                else:
                    del session.parked[frame.flow.name]
        return f"{flow}.{ended.node}.ask"

    def next_steps(
        self, flow: str, exit_name: str, operation: str, host: Host, resumes: str | None = None
    ) -> Rows:
        """The options of the outcome's End, for the message that tells of it. ``resumes`` is a
        parked flow that waited for the operation."""
        ended = self._end(flow, exit_name, operation)._replace(resumes=resumes)
        return self._renderer.next_steps(ended, host)

    def _end(self, flow: str, exit_name: str, operation: str) -> Ended:
        return Ended(flow, self._exits(self.flows.newest[flow])[exit_name], operation)

    def live_screen(self, session: Session, operation: str, host: Host) -> Screen | None:
        """The operation's live screen, redrawn for the same turn, if the person is waiting on it
        now."""
        frame = session.active
        if frame is None or frame.waiting != operation:
            return None
        return self._renderer.redrawn(session, host)

    def _exits(self, flow: Flow) -> Mapping[str, str]:
        """The exits by which the flow's operations end, at its code or while it waits."""
        exits: dict[str, str] = {}
        for node in flow.nodes:
            if isinstance(node, Code) or (
                isinstance(node, Do) and waits(self._declared, node.use_case)
            ):
                exits |= node.on
        return exits
