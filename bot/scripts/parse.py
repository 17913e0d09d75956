"""Parses a ``.chat`` file and its includes into a ``Script``."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.scripts.api_answer import read_api_expectation
from bot.scripts.api_call import ApiCall
from bot.scripts.api_syntax import read_api
from bot.scripts.check import check
from bot.scripts.directive import GiveStatement
from bot.scripts.directive_syntax import read_directive
from bot.scripts.expect import read_expectation
from bot.scripts.given import Given, GivenPerson, read_given
from bot.scripts.head import ScriptHead, head_line, with_line
from bot.scripts.script import Line, Script
from bot.scripts.source_line import SourceLine
from bot.scripts.speech import Race, Speech, is_file, read_speech

# A comment has its own line, or follows two spaces at the end of a line.
COMMENT = re.compile(r"^#.*$|(?:^\s+|\s{2,}|\t)#(?:\s.*)?$")
_RACE = re.compile(r"@race\s+([1-9][0-9]*)\s+(.+)")


def load(file: Path) -> Script:
    """Read and check a script. Raises ``ScriptError``."""
    script = _read(file, SourceLine(file, 0), ())
    givens = tuple(_with_language(given, script.head.lang) for given in script.givens)
    script = replace(script, givens=givens)
    check(script)
    return script


def _with_language(given: Given, language: str) -> Given:
    if isinstance(given, GivenPerson) and given.lang is None:
        return replace(given, lang=language)
    return given


@dataclass(slots=True)
class _Sentence:
    """A line with its indented continuation lines."""

    at: SourceLine
    more: list[SourceLine] = field(default_factory=list)


def _sentences(file: Path, source: str) -> Iterator[_Sentence]:
    sentence: _Sentence | None = None
    for number, written in enumerate(source.split("\n"), start=1):
        bare = COMMENT.sub("", written).rstrip()
        if not bare:
            continue
        at = SourceLine(file, number, bare.strip())
        if not bare[0].isspace():
            if sentence is not None:
                yield sentence
            sentence = _Sentence(at)
        elif sentence is None:
            raise at.error("an indented line goes on with the line above, and there is none")
        else:
            sentence.more.append(at)
    if sentence is not None:
        yield sentence


def _read(file: Path, at: SourceLine, within: tuple[Path, ...]) -> Script:
    """``at`` is the line that includes this file, ``within`` the chain of including files."""
    if file.resolve() in within:
        raise at.error(f"{file} includes itself")
    try:
        source = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise at.error(f"cannot read {file}: {error}") from None
    draft = _Draft(file, (*within, file.resolve()))
    for sentence in _sentences(file, source):
        try:
            draft.add(sentence)
        except ValueError as error:  # a number out of range
            raise sentence.at.error(f"cannot read: {error}") from None
    return draft.script()


class _Draft:
    """A script while its file is being read; its parts have a fixed order."""

    def __init__(self, file: Path, within: tuple[Path, ...]) -> None:
        self._file = file
        self._within = within
        self._head = ScriptHead()
        self._keys: set[str] = set()
        self._included: list[Script] = []
        self._givens: list[Given] = []
        self._lines: list[Line] = []

    def script(self) -> Script:
        parts = self._included
        # A file that includes others inherits their restart setting.
        restart = self._head.restart and all(part.head.restart for part in parts)
        own = self._givens
        if "lang" in self._keys:  # otherwise the including file's language applies
            own = [_with_language(given, self._head.lang) for given in own]
        givens = [given for part in parts for given in part.givens] + own
        lines = [line for part in parts for line in part.lines] + self._lines
        return Script(
            self._file,
            replace(self._head, restart=restart),
            # A file included twice gives its partners once.
            tuple(dict.fromkeys(givens)),
            tuple(lines),
        )

    def add(self, sentence: _Sentence) -> None:
        at = sentence.at
        word, *rest = at.text.split(None, 1)
        if entry := head_line(at.text):
            self._alone(sentence)
            self._add_head(at, *entry)
        elif word == "include" and rest:
            self._alone(sentence)
            self._include(at, rest[0])
        elif word == "given" and rest:
            self._alone(sentence)
            self._give(at, rest[0])
        else:
            self._lines.append(self._line(sentence))

    def _add_head(self, at: SourceLine, key: str, value: str) -> None:
        if self._included or self._givens or self._lines:
            raise at.error(f"{key}: belongs to the head, before everything else")
        if key in self._keys:
            raise at.error(f"{key}: is said twice")
        self._keys.add(key)
        self._head = with_line(self._head, at, key, value)

    def _include(self, at: SourceLine, name: str) -> None:
        if self._givens or self._lines:
            raise at.error("include stands before the given lines")
        file = Path(os.path.normpath(self._file.parent / name))  # so that each file has one name
        self._included.append(_read(file, at, self._within))

    def _give(self, at: SourceLine, text: str) -> None:
        if any(isinstance(line, Speech | Race) for line in self._lines):
            raise at.error("given lines stand before the first spoken line")
        self._givens.append(read_given(at, text))

    def _line(self, sentence: _Sentence) -> Line:
        at = sentence.at
        more = [place.text for place in sentence.more]
        expectation = read_expectation(at, at.text, more)
        if expectation is not None:
            return expectation
        of_api = read_api_expectation(at, at.text, more)
        if of_api is not None:
            return of_api
        if at.text == "@statement":
            if not sentence.more:
                raise at.error("@statement goes on in indented lines: those of the statement")
            return GiveStatement(at, tuple(place.text for place in sentence.more))
        if is_file(at.text):
            speech = read_speech(at, at.text, more)
            assert speech is not None, "it is one"
            return speech
        self._alone(sentence)
        if at.text.split()[0] == "@race":
            return _race(at)
        if at.text.split()[0] == "@api":
            return read_api(at, at.text)
        if at.text.startswith("@"):
            return read_directive(at, at.text)
        speech = read_speech(at, at.text)
        if speech is None:
            raise at.error(f"cannot read: {at.text}")
        return speech

    def _alone(self, sentence: _Sentence) -> None:
        if sentence.more:
            what = "a message, a file or a statement"
            raise sentence.more[0].error(f"only {what} goes on in indented lines")


def _race(at: SourceLine) -> Race | ApiCall:
    race = _RACE.fullmatch(at.text)
    if race is not None and race[2].split()[0] == "@api":
        return read_api(at, race[2], int(race[1]))
    speech = read_speech(at, race[2].strip()) if race else None
    if race is None or speech is None:
        raise at.error("@race is written: @race N NAME> …")
    return Race(at, int(race[1]), speech)
