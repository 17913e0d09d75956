"""The font of PDFs and charts, and texts reduced to what it can draw."""

from __future__ import annotations

import unicodedata
from pathlib import Path

_FONTS = Path(__file__).with_name("fonts")
REGULAR = _FONTS / "DejaVuSans.ttf"
BOLD = _FONTS / "DejaVuSans-Bold.ttf"
# What both files hold (fonts/README.md): Latin with its extensions, and typographic punctuation.
_CODES = (
    *(range(0x20, 0x7F), range(0xA0, 0x250), range(0x1E00, 0x1EFC)),
    *(range(0x2010, 0x2015), range(0x2018, 0x201F), (0x2022, 0x2026, 0x20AC, 0x2212)),
)
DRAWN = frozenset(chr(code) for codes in _CODES for code in codes)


def drawable(text: str) -> str:
    """``text`` on one line, in letters that the font has.

    Gĩthĩnji stays as it is. Letters of other kinds become the Latin ones in them (ﬁ: fi), and what
    is left becomes "?".
    """
    if text.isascii() and text.isprintable():  # nearly all of a statement
        return text
    return "".join(map(_drawn, unicodedata.normalize("NFC", text)))


def _drawn(char: str) -> str:
    if char in DRAWN:
        return char
    category = unicodedata.category(char)
    if category in ("Cc", "Zl", "Zp"):
        return " "
    if category in ("Mn", "Cf"):  # an accent that no letter takes in, a direction mark
        return ""
    return "".join(part for part in unicodedata.normalize("NFKD", char) if part in DRAWN) or "?"
