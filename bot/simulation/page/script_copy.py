"""What has been done in a world as a conversation script.

A script does not know which codes and references it will meet. So a code that was typed is captured
from the SMS or mail that brought it, and a reference from the first message that showed it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.channels.terminal import CHANNEL as CHAT
from bot.scripts.given import GivenSetting
from bot.scripts.pattern import variables
from bot.scripts.record import literal
from bot.scripts.source_line import ScriptError, SourceLine
from bot.scripts.speech import Say, read_speech
from bot.scripts.stage import Shown
from bot.simulation.givens import MOMENT, START
from bot.simulation.page.file_lines import file_lines
from bot.simulation.page.phone_lines import OTHER_BRACKETS, PhoneLines
from bot.simulation.record import Armed, Did, Entry, Passed, Said, Texted
from bot.simulation.served.opening import RAISED
from bot.simulation.served.served_world import ServedWorld
from services.domain.ussd import CHANNEL as USSD

_CODE = re.compile(r"\b[0-9]{6}\b")
_REFERENCE = re.compile(r"\b(?P<kind>[A-Z]{2})-(?P<rest>[0-9A-Z]{6,})\b")
_HOURS = re.compile(r"\b[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?\b")
_DATES = re.compile(r"\b[0-9]{1,2} [A-Z][a-z]{2,8}( [0-9]{4})?\b|\b20[0-9]{2}-[0-9]{2}-[0-9]{2}\b")
_HOLE = "{*}"
_COMMENT = re.compile(r"\s{2,}#|\t#")


def as_script(served: ServedWorld) -> str:
    """It holds when it is played: givens, seed, what was done, and each answer's first line."""
    scene = served.scene
    entries = served.record.entries
    dials = any(isinstance(entry, Said) and entry.hop is not None for entry in entries)
    channel = USSD if dials else CHAT
    lines = ["title: Copied from the page", f"channels: {channel}", f"seed: {scene.seed}"]
    lines += [f"given {given.at.text.removeprefix('given ')}" for given in scene.givens]
    said = {given.name.lower() for given in scene.givens if isinstance(given, GivenSetting)}
    lines += [
        f"given setting {name.upper()} {getattr(scene.world.settings, name)}"
        for name in RAISED
        if name not in said
    ]
    if START not in said:
        lines.append(f"given setting {START} {scene.start.strftime(MOMENT)}")
    phones = PhoneLines(scene.people.phones) if dials else None
    return "\n".join([*lines, "", *_Play(entries, phones, scene.seed).lines()]) + "\n"


@dataclass(slots=True)
class _Step:
    """Something that was done, and what came of it."""

    entry: Said | Did | Armed | None
    came: list[Entry] = field(default_factory=list)

    def without_messages(self) -> _Step:
        return _Step(self.entry, [entry for entry in self.came if isinstance(entry, Passed)])


class _Play:
    """``phones`` write what people say where they dial too; ``seed`` is the world's."""

    def __init__(self, entries: Sequence[Entry], phones: PhoneLines | None, seed: int) -> None:
        self._steps = list(_steps(entries))
        self._phones = phones
        self._seed = seed
        self._names: dict[str, str] = {}  # of variables, by what they stand for
        self._needed = self._find_needed()
        self._carried_s = 0.0
        self._speaker = ""  # whoever spoke last
        # How many messages, SMS and mails the script has not read, by whose they are.
        self._unread: Counter[str] = Counter()
        self._unread_texts: Counter[str] = Counter()

    def lines(self) -> Iterator[str]:
        if self._phones is not None:
            yield from self._phones.opening()
        for step in self._steps:
            match step.entry:
                case Said() as said:
                    yield "bot*"
                    self._unread.clear()
                    if said.content is None:
                        yield self._said(said)
                    elif not (yield from self._sent(said)):
                        step = step.without_messages()
                case Did(line):
                    yield self._filled(line)
                case Armed(call, fault, times) if times > 0:
                    yield f"@bank {fault} on {call}" + (f" times {times}" if times > 1 else "")
            yield from self._expected(step)
        yield "bot*"

    def _said(self, said: Said) -> str:
        line = f"{said.person}> {_sayable(said)}"
        if self._phones is not None:
            line = self._phones.line(said, line)
        if line.startswith(f"{said.person}>"):
            self._speaker = said.person
        return self._filled(line)

    def _sent(self, said: Said) -> Generator[str, None, bool]:
        """Whether a script can send that file."""
        file = file_lines(said, self._seed)
        yield from file.lines
        if file.plays:
            self._speaker = said.person
        return file.plays

    def _expected(self, step: _Step) -> Iterator[str]:
        """Each answer's first line, and what brought something that is needed later."""
        speaker = step.entry.person if isinstance(step.entry, Said) else None
        for at, entry in enumerate(step.came):
            match entry:
                case Passed(seconds):
                    yield from self._advanced(seconds)
                case Texted():
                    yield from self._texted(entry)
                case Shown(kind="alert") if entry.to == speaker:
                    yield f"alert<~ {_steady(_first_line(entry.text))}"
                case Shown(kind="answer" | "notice"):
                    text = _as_read(step.came, at)
                    is_answer = entry.kind == "answer" and entry.to == speaker
                    is_outcome = entry.to == self._speaker and self._is_next_outcome(entry, text)
                    first = self._first(step, text) if is_answer or is_outcome else ""
                    pattern = self._captured(text, first) or first
                    if pattern:
                        read = "bot<~" if entry.to == self._speaker else f"bot[{entry.to}]<~"
                        yield from [f"{read} {_HOLE}"] * self._unread.pop(entry.to, 0)
                        yield f"{read} {pattern}"
                        if entry.page is not None:
                            yield f"page {entry.page}"
                    else:
                        self._unread[entry.to] += 1

    def _is_next_outcome(self, entry: Shown, text: str) -> bool:
        """Whether it tells what became of an operation, with nothing unread before it. What comes
        by the time of day comes at another moment when the script is played."""
        is_told = entry.kind == "notice" and _REFERENCE.search(text) is not None
        return is_told and not self._unread[entry.to]

    def _first(self, step: _Step, text: str) -> str:
        """What the answer begins with, unless it may repeat words that had to be changed."""
        if isinstance(step.entry, Said) and not self._is_as_said(step.entry):
            return _HOLE
        return _steady(_first_line(text))

    def _is_as_said(self, said: Said) -> bool:
        if said.content is not None:
            return file_lines(said, self._seed).is_same
        return _sayable(said) == said.written

    def _texted(self, entry: Texted) -> Iterator[str]:
        read = f"{'mail' if entry.is_mail else 'sms'} {entry.address}<~"
        pattern = self._captured(entry.text)
        if pattern is None:
            self._unread_texts[entry.address] += 1
            return
        yield from [f"{read} {_HOLE}"] * self._unread_texts.pop(entry.address, 0)
        yield f"{read} {pattern}"

    def _advanced(self, seconds: float) -> Iterator[str]:
        self._carried_s += seconds
        whole = int(self._carried_s)
        self._carried_s -= whole
        if whole:
            yield f"@advance {whole}s"

    def _find_needed(self) -> set[str]:
        """Codes and references that came to people before somebody used them."""
        came: set[str] = set()
        needed: set[str] = set()
        for step in self._steps:
            match step.entry:
                case Said(written=used, content=None) | Did(line=used):
                    pass
                case _:
                    used = ""
            needed |= {token for token in came if _stands_in(used, token)}
            for entry in step.came:
                if isinstance(entry, Shown | Texted):
                    came |= set(_tokens(entry.text))
        return needed

    def _captured(self, text: str, first: str = "") -> str | None:
        """A pattern that captures what is needed of this text, and has not been captured yet."""
        new = [
            token
            for token in dict.fromkeys(_tokens(text))
            if token in self._needed and token not in self._names
        ]
        if not new:
            return None
        line = next(line for line in text.split("\n") if new[0] in _tokens(line))
        pattern = _steady(line, keep=new[0]).replace(new[0], self._hole(new[0]), 1)
        if not first or _first_line(text) == line:
            return pattern
        return f"{first}{_HOLE}{pattern}"

    def _hole(self, token: str) -> str:
        name = self._names[token] = f"v{len(self._names) + 1}"
        found = _REFERENCE.fullmatch(token)
        regex = "[0-9]{6}" if found is None else f"{found['kind']}-[0-9A-Z]+"
        return f"{{{name}:{regex}}}"

    def _filled(self, written: str) -> str:
        for token, name in self._names.items():
            for spelled in (token, token.replace("-", "")):
                written = written.replace(spelled, f"{{{name}}}")
        return written


def _sayable(said: Said) -> str:
    """As a script says it. What was typed and would be taken for something else, such as a variable
    or a comment, has other brackets: the desk understands neither."""
    written = said.written
    if written != said.text:
        return written
    line = f"{said.person}> {written}"
    try:
        read = read_speech(SourceLine(Path("page"), 1, line), line)
    except ScriptError:
        read = None
    is_plain = isinstance(read, Say) and read.text == written and len(written.splitlines()) == 1
    if is_plain and not variables(written) and not _COMMENT.search(line):
        return written
    return " ".join(written.translate(OTHER_BRACKETS).split()) or "?"


def _steps(entries: Sequence[Entry]) -> Iterator[_Step]:
    step = _Step(None)
    for entry in entries:
        if isinstance(entry, Said | Did | Armed):
            yield step
            step = _Step(entry)
        else:
            step.came.append(entry)
    yield step


def _as_read(came: Sequence[Entry], at: int) -> str:
    """The text of a message with the edits that came at the same moment: a script reads it so."""
    shown = came[at]
    assert isinstance(shown, Shown)
    text = shown.text
    for entry in came[at + 1 :]:
        if isinstance(entry, Passed):
            break
        if isinstance(entry, Shown) and entry.kind == "edit":
            text = entry.text if entry.message_id == shown.message_id else text
    return text


def _stands_in(written: str, token: str) -> bool:
    """Payers type a reference with its hyphen or without."""
    return token in written or token.replace("-", "") in written


def _tokens(text: str) -> list[str]:
    return [found[0] for regex in (_CODE, _REFERENCE) for found in regex.finditer(text)]


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.split("\n") if line.strip()), "")


def _steady(line: str, keep: str = "") -> str:
    """A line as a pattern: whatever depends on time or chance may be anything."""
    parts = line.split(keep) if keep else [line]
    steady = []
    for part in parts:
        for changing in (_CODE, _REFERENCE, _DATES, _HOURS):
            part = changing.sub("\0", part)
        steady.append(re.sub(r"\0+", _HOLE, literal(part)))
    return keep.join(steady).strip() or _HOLE
