"""A whole script: its head, what is given, and its lines in playing order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bot.talk.directive import Directive
from bot.talk.expect import Expectation
from bot.talk.given import Given
from bot.talk.head import Head
from bot.talk.speech import Race, Speech

Line = Speech | Race | Expectation | Directive


@dataclass(frozen=True, slots=True)
class Script:
    """Included files' givens and lines stand before the file's own."""

    file: Path
    head: Head
    givens: tuple[Given, ...]
    lines: tuple[Line, ...]
