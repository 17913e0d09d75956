"""A whole script: its head, its givens, and its lines in playing order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bot.scripts.api_answer import ApiExpectation
from bot.scripts.api_call import ApiCall
from bot.scripts.directive import Directive
from bot.scripts.expect import Expectation
from bot.scripts.given import Given
from bot.scripts.head import ScriptHead
from bot.scripts.speech import Race, Speech

Line = Speech | Race | Expectation | Directive | ApiCall | ApiExpectation


@dataclass(frozen=True, slots=True)
class Script:
    """Givens and lines of included files precede the file's own."""

    file: Path
    head: ScriptHead
    givens: tuple[Given, ...]
    lines: tuple[Line, ...]
