"""Reads the values behind a command: each answers the open question, until one does not fit."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flows.engine.event import Button, StepResult
from flows.engine.frames import abandon, data_facts, fill
from flows.engine.host import Host
from flows.engine.node_runner import NodeRunner
from flows.engine.nodes import Ask, Choose, Do, Look, shown_options
from flows.engine.screen_renderer import ScreenRenderer
from flows.engine.session import Frame, Session
from flows.engine.typed_words import TypedWords, tidy
from flows.parsers.number_words import NUMBER_WORDS
from flows.parsers.terms import FEE_WORDS
from services.domain.refusal import Refusal

# Words between values: "500 from my number", "float ya elfu tano".
JOINERS = frozenset({"to", "from", "of", "with", "for", "by", "kwa", "kutoka", "ya", "na", "wa"})
_BEFORE_PHONE = re.compile(r",(?=0[17][0-9]{8}\b|\+?254[0-9])")
_CODE_LIKE = re.compile(r"(?<![0-9-])[0-9]{6}(?![0-9])")
_FIGURE = re.compile(r"[-+−–(]*(?:kes|kshs?|shs?)?\.?[0-9]", re.IGNORECASE)
PARTS = NUMBER_WORDS | FEE_WORDS  # words that are no value alone
RUN_MAX = 24  # words of one value, free text excepted
SHOWN_MAX = 30  # characters of what could not be read


class TypedValues:
    def __init__(self, renderer: ScreenRenderer, runner: NodeRunner, words: TypedWords) -> None:
        self._renderer = renderer
        self._runner = runner
        self._words = words

    def fill(self, session: Session, values: str, host: Host) -> StepResult:
        """Answer the open questions, a Confirm excepted, and name what could not be read.

        Where a part of a value is left over, none of its figures is taken: half of an amount is
        another amount.
        """
        began = session.active
        assert began is not None
        words = _split(values)
        step, rest = self._answer_all(session, words, host)
        certain = _before_figures(words[: len(words) - len(rest)])
        figures_taken = certain + len(rest) < len(words)
        did_nothing = began.waiting is None and (began is session.active or _was_refused(began))
        why = self._refusal(session.active, rest, host)
        if did_nothing and figures_taken and _is_part(rest):
            abandon(began, host)
            session.active = Frame.start(began.flow)
            step, left = self._answer_all(session, words[:certain], host)
            rest = [*left, *words[certain:]]
            why = why or self._refusal(session.active, rest, host)
        if step is not None and not rest:
            return step
        above = self._unread(rest, why, host)
        if session.active is None and step is not None and step.screen is not None:
            ended = f"{above}\n\n{step.screen.text}"  # drawing it again would show the menu alone
            return step._replace(screen=step.screen._replace(text=ended))
        screen = self._renderer.current_screen(session, host, above=above)
        return StepResult(screen, "opened" if step is None else step.transition)

    def _answer_all(
        self, session: Session, words: Sequence[str], host: Host
    ) -> tuple[StepResult | None, Sequence[str]]:
        step = None
        while words:
            taken = self._answered(session, words, host)
            if taken is None:
                break
            step, count = taken
            words = words[count:]
        return step, words

    def _answered(
        self, session: Session, words: Sequence[str], host: Host
    ) -> tuple[StepResult, int] | None:
        """The longest run of words that answers the question, or one that may be given early."""
        frame = session.active
        if frame is None or not frame.flow.takes_values:
            return None
        node = frame.flow.node(frame.node)
        takes_any = isinstance(node, Ask) and node.free_text
        skipped = 0 if takes_any else _joiners(words)
        said = words[skipped:]
        longest = len(said) if takes_any else min(len(said), RUN_MAX)
        for count in range(longest, 0, -1):
            text = " ".join(said) if takes_any else _plain(said[:count])
            step = None
            match node:
                case Ask():
                    step = self._asked(session, frame, node, text, host)
                case Choose():
                    step = self._chosen(session, frame, node, text, host)
                case Look():
                    step = self._looked_up(session, frame, node, text, host)
            if step is not None:
                return step, skipped + count
            if takes_any:  # all of it or nothing
                return None
        for count in range(longest, 0, -1):
            if self._given_early(frame, _plain(said[:count]), host):
                step = self._runner.enter(session, frame, frame.node, host, {}, "opened")
                return step, skipped + count
        return None

    def _asked(
        self, session: Session, frame: Frame, node: Ask, text: str, host: Host
    ) -> StepResult | None:
        value = node.parse(text, host)
        if isinstance(value, Refusal):
            return None
        return self._runner.go(session, frame, {node.into: value}, node.to, host)

    def _chosen(
        self, session: Session, frame: Frame, node: Choose, text: str, host: Host
    ) -> StepResult | None:
        """By an option's id or its label, or by a typed value."""
        place, said = f"{frame.flow.name}.{frame.node}", tidy(text)
        facts = {**host.facts(), **data_facts(frame)}
        options = {option.id: option for option in shown_options(node, host) if option.id != "yes"}
        buttons = [
            Button(option, self._renderer.say(host, f"{place}.{option}", facts))
            for option in options
        ]
        named = next((option for option in options if said == tidy(option)), None)
        named = named or self._words.named(place, buttons, said)
        if named is not None:
            return self._runner.pick(session, frame, options[named], host)
        if node.typed is None:
            return None
        ask = frame.flow.node(node.typed)
        assert isinstance(ask, Ask)
        return self._asked(session, frame, ask, text, host)

    def _looked_up(
        self, session: Session, frame: Frame, node: Look, text: str, host: Host
    ) -> StepResult | None:
        """A reference opens what it names, if this person may see it."""
        if node.into is None or node.to is None:
            return None
        reference = text.upper()
        found = frame.flow.node(node.to)
        if not isinstance(found, Look):
            return None
        known = {**data_facts(frame), node.into: reference}
        if not host.may_open(found.view, {name: known[name] for name in found.args}):
            return None
        return self._runner.go(session, frame, {node.into: reference}, node.to, host)

    @staticmethod
    def _given_early(frame: Frame, text: str, host: Host) -> bool:
        for node in frame.flow.nodes:
            if isinstance(node, Ask) and node.early and node.into not in frame.given:
                value = node.parse(text, host)
                if not isinstance(value, Refusal):
                    fill(frame, {node.into: value})
                    frame.given.append(node.into)
                    return True
        return False

    @staticmethod
    def _refusal(frame: Frame | None, words: Sequence[str], host: Host) -> Refusal | None:
        """Why the words do not answer the open question."""
        node = None if frame is None else frame.current_node
        value = node.parse(_plain(words), host) if isinstance(node, Ask) and words else None
        return value if isinstance(value, Refusal) else None

    def _unread(self, words: Sequence[str], why: Refusal | None, host: Host) -> str:
        said = [self._renderer.say(host, "engine.unread", {"text": shortened(_plain(words))})]
        if why is not None:
            said.append(self._renderer.say(host, f"refusal.{why.code}", why.facts))
        return " ".join(said)


def shortened(text: str) -> str:
    """At most ``SHOWN_MAX`` characters of what somebody typed, on one line, without anything that
    looks like a code."""
    line = _CODE_LIKE.sub("……", " ".join(text.split()))
    return line if len(line) <= SHOWN_MAX else f"{line[: SHOWN_MAX - 1]}…"


def _split(values: str) -> list[str]:
    return [word for word in _BEFORE_PHONE.sub(" ", values).split() if _plain([word])]


def _plain(words: Sequence[str]) -> str:
    """Without the punctuation that people put behind a value; any text keeps its own."""
    plain = (word.rstrip("!?;:,") for word in words)
    return " ".join(word for word in plain if word)


def _joiners(words: Sequence[str]) -> int:
    """How many words at the beginning only join what comes before to what comes behind."""
    count = 0
    while count < len(words) - 1 and _plain([words[count]]).casefold() in JOINERS:
        count += 1
    return count


def _was_refused(frame: Frame) -> bool:
    """Whether it ended because a use case refused, and so did nothing."""
    dos = (node for node in frame.flow.nodes if isinstance(node, Do))
    return any(node.on["refused"] == frame.node for node in dos)


def _is_part(words: Sequence[str]) -> bool:
    """Whether the words may belong to a figure that comes before them."""
    return any(any(map(str.isdigit, word)) or _plain([word]).casefold() in PARTS for word in words)


def _before_figures(words: Sequence[str]) -> int:
    """How many words come before the first figure."""
    for count, word in enumerate(words):
        if _FIGURE.match(word) or _plain([word]).casefold() in NUMBER_WORDS:
            return count
    return len(words)
