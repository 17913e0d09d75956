"""Statements and charts as files (needs the extra ``documents``)."""

from __future__ import annotations

import unicodedata

_TYPOGRAPHY = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "−": "-", "…": "...", "•": "·"}
)


class DocumentsMissing(Exception):
    """The libraries that draw PDF and PNG are not installed; CSV needs none."""

    def __init__(self) -> None:
        super().__init__("PDF and charts need two more libraries: install hazina[documents]")


def latin(text: str) -> str:
    """One line of ``text`` in Latin-1, which our fonts can draw.

    Other letters lose their accent (Gĩthĩnji: Githinji), and what is left becomes "?".
    """
    return "".join(_latin_character(char) for char in text.translate(_TYPOGRAPHY))


def _latin_character(char: str) -> str:
    category = unicodedata.category(char)
    if category in ("Cc", "Zl", "Zp"):
        return " "
    if ord(char) < 256:
        return char
    if category in ("Mn", "Cf"):  # a combining accent, a direction mark
        return ""
    letters = unicodedata.normalize("NFKD", char).encode("latin-1", "ignore").decode("latin-1")
    return letters or "?"
