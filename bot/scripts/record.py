"""Records a play as a new script: the inputs, and what everybody was shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from bot.scripts.api_answer import ApiAnswer, ApiExpectation
from bot.scripts.api_call import ApiCall
from bot.scripts.directive import SetHandset
from bot.scripts.expect import ExpectAlert, ExpectEdit, ExpectMessage, ExpectSms, SkipMessages
from bot.scripts.given import GivenPerson
from bot.scripts.inbox import Deliveries, Message
from bot.scripts.pattern import fill, without_layout
from bot.scripts.script import Line, Script
from bot.scripts.speech import Race, Speech, Tap

# Text that a script would read as something else: a hole, a comment, a row of options.
_HOLE = re.compile(r"\{(?=\*\}|[^\W\d][\w-]*[:}])")
_COMMENT = re.compile(r"^\s*#|\s{2,}#")
_ROW = re.compile(r"^\[")
_REQUEST_ID = re.compile(r'("request_id":")[^"]+')


class Transcript:
    """Records actual deliveries in place of the played script's expectations."""

    def __init__(self, script: Script, channel: str, sms: Callable[[str], Sequence[str]]) -> None:
        head = script.head
        self._lines = [
            f"title: {head.title}",
            f"channels: {channel}",
            f"seed: {head.seed}",
            f"lang: {head.lang}",
        ]
        if not head.restart:
            self._lines.append("restart: no")
        self._lines += [given.at.text for given in script.givens]
        self._lines.append("")
        self._sms = sms
        self._tapped = False
        self._texts = {g.phone: 0 for g in script.givens if isinstance(g, GivenPerson)}

    def add_line(self, line: Line, captured: Mapping[str, str]) -> None:
        """Record a played line, unless deliveries will replace it."""
        if isinstance(line, Speech | Race):
            self._lines.append(fill(line.at.text, captured))
        elif isinstance(line, ApiCall):
            self._lines.append(line.written(captured))
        elif not _is_replaced(line):
            self._lines.append(line.at.text)
        if isinstance(line, SetHandset):
            self._texts.setdefault(line.phone, 0)
        self._tapped = isinstance(line.speech if isinstance(line, Race) else line, Tap)

    def add_deliveries(self, news: Deliveries, speaker: str) -> None:
        """Record new deliveries; ``speaker`` is the last speaker."""
        for message in news.messages:
            self._add_message(message, speaker)
        for alert in news.alerts:
            # A line can match only one alert, the one of the tap just made.
            self._add("alert<~", alert.text, readable=self._tapped and alert is news.alerts[0])
        newest = news.edits[-1:] + [edit for edit in news.edits if edit.to == speaker][-1:]
        for edit in news.edits:
            self._add("edit<~", edit.text, readable=edit in newest)
        for phone, seen in self._texts.items():
            for text in self._sms(phone)[seen:]:
                self._add(f"sms {phone}<", text)
                self._texts[phone] += 1

    def add_answer(self, answer: ApiAnswer) -> None:
        """Record what the API answered, but the request's own id."""
        self._lines.append(f"api {answer.status}")
        if answer.body:
            body = _REQUEST_ID.sub(r"\g<1>{*}", literal(answer.body))
            self._lines.append(f"api<~ {body}")

    def __str__(self) -> str:
        return "\n".join(self._lines) + "\n"

    def _add_message(self, message: Message, speaker: str) -> None:
        to = message.shown.to
        self._add("bot<" if to == speaker else f"bot[{to}]<", message.text)
        for row in message.rows:
            labels = " ".join(f"[{literal(option.label)}]" for option in row)
            self._lines.append(f"  {labels}")

    def _add(self, mark: str, text: str, *, readable: bool = True) -> None:
        first, *rest = without_layout(text).split("\n")
        written = [f"{mark} {literal(first)}", *(f"  {literal(line)}" for line in rest)]
        self._lines += written if readable else [f"# {line}" for line in written]


def _is_replaced(line: Line) -> bool:
    if isinstance(line, ExpectSms):
        return line.pattern is not None
    return isinstance(
        line, ExpectMessage | ExpectEdit | ExpectAlert | SkipMessages | ApiExpectation
    )


def literal(text: str) -> str:
    for special in (_HOLE, _COMMENT, _ROW):
        text = special.sub("{*}", text)
    return text
