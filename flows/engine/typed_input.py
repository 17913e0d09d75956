"""Finds out what a typed line means: an option, a word of navigation, a command, or an answer.

The order matters. A PIN is taken out of the chat wherever it is typed. Where a question takes any
words, such as a name or a reason, every line is an answer. Elsewhere what the screen shows comes
first, then the words that work everywhere, and last the question itself.
"""

from __future__ import annotations

from flows.engine.answers import Answers
from flows.engine.event import Button, Event, EventKind, StepResult
from flows.engine.host import Host
from flows.engine.navigation import Navigation
from flows.engine.nodes import Ask, Code, Confirm, Look, Node
from flows.engine.numbers import DIGITS_MAX, picked_number
from flows.engine.opening import Opening
from flows.engine.screen_renderer import ScreenRenderer
from flows.engine.session import Session
from flows.engine.taps import UNBOUND, Taps
from flows.engine.typed_secrets import is_pin, is_stray_code
from flows.engine.typed_words import TypedWords, tidy
from services.domain.ids import looks_like_reference
from services.domain.partner import Right

OFFERS = ("offer_amount", "offer_phone")  # flows that ask what to do with a bare value
LABEL_MAX = 64  # characters; more is never the label of an option
_DECIDES = "yes"  # the option that decides: it is tapped, or picked by its number, never named


class TypedInput:
    def __init__(
        self,
        renderer: ScreenRenderer,
        navigation: Navigation,
        answers: Answers,
        opening: Opening,
        taps: Taps,
        words: TypedWords,
    ) -> None:
        self._renderer = renderer
        self._navigation = navigation
        self._answers = answers
        self._opening = opening
        self._taps = taps
        self._words = words

    def step(self, session: Session, event: Event, host: Host, closed: str | None) -> StepResult:
        """``closed`` is a flow that was closed while the person was away."""
        text = event.text.strip()
        if (taken := self.secret(session, text, host, closed)) is not None:
            return taken
        at_code = isinstance(session.current_node, Code)
        step, is_word = self._understood(session, event, text, host, closed)
        return step._replace(wipe=True) if at_code and not is_word else step

    def secret(
        self, session: Session, text: str, host: Host, closed: str | None = None
    ) -> StepResult | None:
        """What somebody should not have typed here is deleted and goes no further."""
        suffix = "" if host.channel.deletes else "_stays"
        if is_pin(session, text):
            step = self._navigation.reprompt(session, host, f"pin_typed{suffix}")
        elif is_stray_code(session, text):
            if session.active is None and closed is not None:  # it came too late
                step = self._at_menu(session, "", host, closed)
            else:
                unfit = "not_understood" if session.active is None else "tap_please"
                keys = (f"engine.{unfit}", f"engine.code_typed{suffix}")
                said = " ".join(self._renderer.say(host, key) for key in keys)
                step = self._navigation.above(session, host, said, "code_typed")
        else:
            return None
        return step._replace(wipe=True)

    def _understood(
        self, session: Session, event: Event, text: str, host: Host, closed: str | None
    ) -> tuple[StepResult, bool]:
        """What the text does, and whether it was a word with a meaning of its own."""
        node, frame = session.current_node, session.active
        takes_any = isinstance(node, Ask) and (node.free_text or host.channel.phone_menu)
        is_code = isinstance(node, Code) and any(map(str.isdigit, text))
        if frame is not None and (takes_any or is_code):
            return self._answers.typed(session, frame, text, host), False
        option = self._option(session, text, host, closed)
        if option is not None:
            turn = UNBOUND if session.ended is not None else session.turn
            tap = event._replace(kind=EventKind.TAP, text="", turn=turn, option=option)
            step = self._taps.tap(session, tap, host)
            if step.transition == "stale":  # it meant another option when it was shown
                step = self._navigation.reprompt(session, host, "moved_on")
            return step, True
        has_words = any(map(str.isalpha, text)) or "?" in text  # a number is none
        word = self._word(session, node, text, host, closed) if has_words else None
        if word is not None:
            return word, True
        if frame is None:
            return self._at_menu(session, text, host, closed), False
        return self._answers.typed(session, frame, text, host), False

    # What the screen shows ------------------------------------------------------------------

    def _option(self, session: Session, text: str, host: Host, closed: str | None) -> str | None:
        """The option on the newest screen that the text names, by its number where the channel
        shows numbers, or by its label."""
        if closed is not None:
            return None
        number = None if host.channel.buttons else picked_number(session, text)
        if number is None and not self._may_be_label(session, text):
            return None
        buttons = [button for row in self._renderer.redrawn(session, host).rows for button in row]
        if number is not None:
            return buttons[number - 1].id if 1 <= number <= len(buttons) else None
        named, offered = tidy(text), session.active.offered if session.active is not None else {}
        node = session.current_node
        acts = tuple(f"{act}-" for act in node.item_acts) if isinstance(node, Look) else ()
        options = []
        for button in buttons:
            if button.id in offered and not button.id.startswith(acts):
                if text == button.label:  # a value, such as a name: as it is written
                    return button.id
            elif button.id != _DECIDES:
                options.append(button)
        return self._words.named(place(session), options, named)

    @staticmethod
    def _may_be_label(session: Session, text: str) -> bool:
        """Saves drawing the screen again: the buttons of a typed question are values, which it
        reads itself, and navigation, which has words of its own."""
        if isinstance(session.current_node, Ask) or len(text) > LABEL_MAX:
            return False
        return any(map(str.isalpha, text))

    def _names_yes(self, session: Session, node: Confirm, said: str, host: Host) -> bool:
        assert session.active is not None
        label = self._renderer.yes_label(session.active, node, host)
        return said in self._words.names(place(session), Button(_DECIDES, label))

    # Words that work everywhere -------------------------------------------------------------

    def _word(
        self, session: Session, node: Node | None, text: str, host: Host, closed: str | None
    ) -> StepResult | None:
        words, said = self._words, tidy(text)
        if isinstance(node, Confirm) and (
            words.says("yes", said)
            or words.says("okay", said)
            or words.says("no", said)
            or self._names_yes(session, node, said, host)
        ):
            return self._navigation.say_how_to_decide(session, host)
        named = words.navigation(said)
        if named is not None:
            return self._opening.command(session, named, host)
        command = words.command(text)
        word = None if command is None else self._opening.known(command.words, host)
        if command is not None and word is not None:
            return self._opening.command(session, word, host, command.values)
        if isinstance(node, Look | None) and looks_like_reference(text):
            return self._opening.reference(session, text, host)
        is_first = session.turn == 0 or closed is not None  # there is more to say than hello
        for kind in () if is_first else ("greeting", "thanks", "okay"):
            if words.says(kind, said):
                return self._navigation.reprompt(session, host, kind)
        return None

    def _at_menu(self, session: Session, text: str, host: Host, closed: str | None) -> StepResult:
        if closed is not None:
            flow = self._renderer.say(host, f"menu.{closed}")
            above = self._renderer.say(host, "engine.expired", {"flow": flow})
            return StepResult(self._renderer.menu(session, host, above), "expired")
        for offer in OFFERS if len(text) > DIGITS_MAX else ():  # less may be an option's number
            if (step := self._opening.offer(session, offer, text, host)) is not None:
                return step
        if session.turn == 0:  # somebody's very first message
            return StepResult(self._renderer.menu(session, host), "menu")
        above = f"{self._renderer.say(host, 'engine.not_understood')} "
        above += self._renderer.say(host, f"engine.hint_{_hint(host)}")
        return self._navigation.missed(session, host, above, "not_understood")


def place(session: Session) -> str:
    """Where the texts of the newest screen's options are."""
    if session.active is None and session.ended is not None:
        return f"{session.ended.flow}.{session.ended.node}"
    return "menu" if session.at is None else session.at


def _hint(host: Host) -> str:
    """What this person could type at the menu."""
    if not host.facts():
        return "desk"
    return "menu" if host.has_right(Right.MOVE_MONEY) else "look"
