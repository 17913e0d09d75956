"""Writes scripts to a folder and parses them from there."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.scripts.parse import load
from bot.scripts.script import Line, Script
from bot.scripts.source_line import ScriptError, SourceLine

AT = SourceLine(Path("a.chat"), 7)
GIVEN = """
given partner FINSAFE wallet 200.00
given person amina of FINSAFE role owner phone 254712345678
given admin root
"""


def read(folder: Path, text: str, name: str = "play.chat") -> Script:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return load(file)


def lines(folder: Path, text: str) -> list[Line]:
    return list(read(folder, GIVEN + text).lines)


def one(folder: Path, text: str) -> Line:
    """The last line of a script in which amina first taps a button."""
    return lines(folder, "amina> [start]\n" + text)[-1]


def reason(folder: Path, text: str) -> str:
    with pytest.raises(ScriptError) as caught:
        read(folder, text)
    return f"{caught.value.line}: {caught.value.reason}"


def refused(folder: Path, line: str) -> str:
    return reason(folder, f"{GIVEN}amina> [start]\n{line}").removeprefix("6: ")
