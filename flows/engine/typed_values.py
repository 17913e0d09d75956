"""Reads the values behind a command: each answers the open question, until one does not fit."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flows.engine.event import Button, StepResult
from flows.engine.frames import abandon, data_facts, fill
from flows.engine.host import Host
from flows.engine.node_runner import NodeRunner
from flows.engine.nodes import Ask, Choose, Look
from flows.engine.screen_renderer import ScreenRenderer
from flows.engine.session import Frame, Session
from flows.engine.typed_words import TypedWords, tidy
from flows.parsers.number_words import NUMBER_WORDS
from services.domain.refusal import Refusal

# Words between values: "500 from my number", "float ya elfu tano".
JOINERS = frozenset({"to", "from", "of", "with", "for", "by", "kwa", "kutoka", "ya", "na", "wa"})
_BEFORE_PHONE = re.compile(r",(?=0[17][0-9]{8}\b|\+?254[0-9])")
_CODE_LIKE = re.compile(r"(?<![0-9-])[0-9]{6}(?![0-9])")
VALUES_MAX = 24  # words that are read
SHOWN_MAX = 30  # characters of what could not be read


class TypedValues:
    def __init__(self, renderer: ScreenRenderer, runner: NodeRunner, words: TypedWords) -> None:
        self._renderer = renderer
        self._runner = runner
        self._words = words

    def fill(self, session: Session, values: str, host: Host) -> StepResult:
        """Answer the open questions, a Confirm excepted, and name what could not be read.

        Where a number is left over, nothing is taken: half of an amount is another amount.
        """
        began = session.active
        assert began is not None
        words = _split(values)[:VALUES_MAX]
        step, rest = self._answer_all(session, words, host)
        if began is session.active and began.waiting is None and _has_number(rest):
            abandon(began, host)
            session.active = Frame.start(began.flow)
            step, rest = None, words
        if step is not None and not rest:
            return step
        above = self._unread(session.active, rest, host)
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
        for count in range(len(said), 0, -1):
            text = " ".join(said[:count])
            step = None
            match node:
                case Ask():
                    if not takes_any or count == len(said):
                        step = self._asked(session, frame, node, text, host)
                case Choose():
                    step = self._chosen(session, frame, node, text, host)
                case Look():
                    step = self._looked_up(session, frame, node, text, host)
            if step is not None:
                return step, skipped + count
        for count in range(0 if takes_any else len(said), 0, -1):
            if self._given_early(frame, " ".join(said[:count]), host):
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
        place, named = f"{frame.flow.name}.{frame.node}", tidy(text)
        facts = {**host.facts(), **data_facts(frame)}
        for option in node.options:
            if option.id == "yes" or (option.needs is not None and not host.offers(option.needs)):
                continue
            if named == tidy(option.id):
                return self._runner.pick(session, frame, option, host)
            label = self._renderer.say(host, f"{place}.{option.id}", facts)
            if named in self._words.names(place, Button(option.id, label)):
                return self._runner.pick(session, frame, option, host)
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

    def _unread(self, frame: Frame | None, words: Sequence[str], host: Host) -> str:
        text = " ".join(words)
        said = [self._renderer.say(host, "engine.unread", {"text": shortened(text)})]
        node = None if frame is None else frame.current_node
        if isinstance(node, Ask) and not node.free_text:
            refusal = node.parse(text, host)
            if isinstance(refusal, Refusal):
                said.append(self._renderer.say(host, f"refusal.{refusal.code}", refusal.facts))
        return " ".join(said)


def shortened(text: str) -> str:
    """At most ``SHOWN_MAX`` characters of what somebody typed, on one line, without anything that
    looks like a code."""
    line = _CODE_LIKE.sub("……", " ".join(text.split()))
    return line if len(line) <= SHOWN_MAX else f"{line[: SHOWN_MAX - 1]}…"


def _split(values: str) -> list[str]:
    """Words, without the punctuation that people put behind one."""
    words = (word.rstrip("!?;:,") for word in _BEFORE_PHONE.sub(" ", values).split())
    return [word for word in words if word]


def _joiners(words: Sequence[str]) -> int:
    """How many words at the beginning only join what comes before to what comes behind."""
    count = 0
    while count < len(words) - 1 and words[count].casefold() in JOINERS:
        count += 1
    return count


def _has_number(words: Sequence[str]) -> bool:
    return any(any(map(str.isdigit, word)) or word.casefold() in NUMBER_WORDS for word in words)
