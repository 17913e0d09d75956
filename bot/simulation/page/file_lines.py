"""How a copied script says which file somebody sent."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.scripts.parse import COMMENT
from bot.scripts.pattern import variables
from bot.scripts.payout_file import good_rows, written
from bot.simulation.page.phone_lines import OTHER_BRACKETS
from bot.simulation.record import Said

LINES_MAX = 60  # of a file that is written out
ROWS_MAX = 9_999  # that a script can ask for
_ENDS = re.compile(r"\r\n|\r|\n")  # of lines, as a script is read
_NOT_IN_NAMES = re.compile(r"[\s<>]+")


@dataclass(frozen=True, slots=True)
class FileLines:
    """``lines`` of a script. It ``is_same`` if they send what was sent, but for the ends of lines;
    without ``plays`` no line can, and they are a remark."""

    lines: Sequence[str]
    is_same: bool
    plays: bool = True


def file_lines(said: Said, seed: int) -> FileLines:
    """``seed`` is that of the world."""
    assert said.content is not None
    name = _NOT_IN_NAMES.sub("-", said.text)
    begun = f"{said.person}> <file {name}"
    try:
        sent = _ENDS.split(said.content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return _remark(said.person, name, "is not written in UTF-8")
    if not sent[-1]:
        del sent[-1]
    if not any(line.strip() for line in sent):
        return _remark(said.person, name, "is empty")
    if len(sent) > LINES_MAX:
        rows = len(sent) - 1
        if rows <= ROWS_MAX and said.content == written(good_rows(rows, seed), None):
            return FileLines([f"{begun} rows {rows}>"], is_same=True)
        return _remark(said.person, name, f"has {len(sent):,} lines, too many to copy")
    form = " as bom" if said.content.startswith(codecs.BOM_UTF8) else ""
    lines = [_sayable(line) for line in sent if line.strip()]
    return FileLines([f"{begun}{form}>", *(f"  {line}" for line in lines)], is_same=lines == sent)


def _remark(person: str, name: str, why: str) -> FileLines:
    text = f"# {person} sent the file {name} here, which {why}: from here on the copy may not hold"
    return FileLines([text], is_same=False, plays=False)


def _sayable(line: str) -> str:
    """What a script would take for something else, such as a variable or a comment, has other
    brackets."""
    line = "".join(char if char.isprintable() or char == "\t" else "?" for char in line).strip()
    if variables(line) or COMMENT.search(f"  {line}"):
        return line.translate(OTHER_BRACKETS)
    return line
