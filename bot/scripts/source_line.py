"""Positions of script lines, and the error for scripts that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class ScriptError(Exception):
    """The script asks for something that cannot be read, or that this build cannot do."""

    def __init__(self, file: Path, line: int, reason: str) -> None:
        super().__init__(f"{file}:{line}: {reason}")
        self.file = file
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SourceLine:
    """``text`` is the line as written, without its comment, for reports and transcripts."""

    file: Path
    line: int
    text: str = ""

    def error(self, reason: str) -> ScriptError:
        return ScriptError(self.file, self.line, reason)
