"""What is typed or shared as the answer to the question where the conversation stands."""

from __future__ import annotations

from flows.engine.event import Event, StepResult
from flows.engine.frames import data_facts
from flows.engine.host import Exit, Host
from flows.engine.navigation import Navigation
from flows.engine.node_runner import NodeRunner
from flows.engine.nodes import Ask, Choose, Code, Confirm, Contact, Do, SecretKind
from flows.engine.screen_renderer import ScreenRenderer
from flows.engine.session import Frame, Session
from flows.engine.typed_secrets import find_code
from flows.parsers.values import read_mobile
from services.domain.desk_pin import read_pin
from services.domain.refusal import Refusal


class Answers:
    def __init__(
        self, renderer: ScreenRenderer, runner: NodeRunner, navigation: Navigation
    ) -> None:
        self._renderer = renderer
        self._runner = runner
        self._navigation = navigation

    def typed(self, session: Session, frame: Frame, text: str, host: Host) -> StepResult:
        """Read the text as the open question does; it is asked again if it does not fit."""
        node = frame.current_node
        if isinstance(node, Choose) and node.typed is not None:
            ask = frame.flow.node(node.typed)
            assert isinstance(ask, Ask)
            value = ask.parse(text, host)
            if not isinstance(value, Refusal):
                return self._runner.go(session, frame, {ask.into: value}, ask.to, host)
            if any(map(str.isdigit, text)):
                why = self._renderer.say(host, f"refusal.{value.code}", value.facts)
                above = f"{self._renderer.say(host, 'engine.tap_please')} {why}"
                return self._navigation.missed(session, host, above, "tap_please")
        if isinstance(node, Code):
            return self._code(session, frame, node, text, host)
        if isinstance(node, Contact):
            if host.channel.contacts:
                return self._navigation.reprompt(session, host, "share_please")
            return self._number(session, frame, node, text, host)
        if not isinstance(node, Ask):
            hint = "waiting" if isinstance(node, Do) else "options"
            if isinstance(node, Confirm) and node.edit:
                hint = "confirm"
            text = f"{self._renderer.say(host, 'engine.tap_please')} "
            text += self._renderer.say(host, f"engine.hint_{hint}")
            return self._navigation.missed(session, host, text, "tap_please")
        value = node.parse(text, host)
        if isinstance(value, Refusal):
            above = self._renderer.say(host, f"refusal.{value.code}", value.facts)
            return self._navigation.missed(session, host, above, value.code)
        return self._runner.go(session, frame, {node.into: value}, node.to, host)

    def _code(
        self, session: Session, frame: Frame, node: Code, text: str, host: Host
    ) -> StepResult:
        """Pass the text to the use case if it can be a code, or a PIN; it is stored nowhere."""
        operation = frame.operation
        assert operation is not None
        known = data_facts(frame)
        args = {name: known[name] for name in node.args}
        if node.reads is SecretKind.PIN:
            secret, unfit = read_pin(text), Refusal("not_a_pin")
        else:
            secret, unfit = find_code(text), Refusal("not_a_code")
        result = (
            unfit if secret is None else host.check_code(node.use_case, args, operation, secret)
        )
        match result:
            case Refusal():
                return self._runner.refused(session, result, host)
            case Exit(name, facts, above=above):
                to = node.on[name]
                return self._runner.enter(session, frame, to, host, facts, name, above)

    def contact(self, session: Session, event: Event, host: Host) -> StepResult:
        """Only the sender's own contact card, not a forwarded one, proves that the number is
        theirs."""
        frame, node = session.active, session.current_node
        if frame is None or not isinstance(node, Contact):
            return self._navigation.reprompt(session, host, "no_contact_wanted")
        if event.option != "own":
            host.note_suspicious("contact_of_another")
            return self._navigation.reprompt(session, host, "not_own_contact")
        return self._number(session, frame, node, f"+{event.text}", host)

    def _number(
        self, session: Session, frame: Frame, node: Contact, text: str, host: Host
    ) -> StepResult:
        phone = read_mobile(text)
        if isinstance(phone, Refusal):
            return self._runner.refused(session, phone, host)
        return self._runner.go(session, frame, {node.into: phone}, node.to, host)
