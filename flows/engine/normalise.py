"""Normalises typed text once, before anything reads it, and removes invisible characters.

Numbers pasted from contacts, web pages and Windows come with directional marks and isolates around
them, unusual spaces between groups, and lookalike dashes and commas.
"""

from __future__ import annotations

import unicodedata

# Joiners are part of the spelling in some scripts, and of emoji sequences.
_JOINERS = frozenset("\u034f\u115f\u1160\u200c\u200d\u3164\uffa0") | frozenset(
    map(chr, range(0xFE00, 0xFE10))
)
_BESIDE_DIGITS = str.maketrans("＋﹢，．（）／", "++,.()/")


def normalise_input(text: str) -> str:
    """Remove format and control characters; turn every space into a blank and every dash into a
    hyphen.

    Line ends are kept, and so are joiners after non-ASCII characters. Digits of other scripts are
    kept as they are, for the number parsers to refuse (facts: M-PESA, Phones).
    """
    if text.isascii() and text.isprintable():
        return text
    kept: list[str] = []
    for at, char in enumerate(text):
        before, after = kept[-1:], text[at + 1 : at + 2]
        if char in _JOINERS:
            plain = "" if "".join(before).isascii() else char
        elif char in "\r\n" or (char.isascii() and char.isprintable()):
            plain = char
        else:
            plain = _plain(char)
            if any(map(_is_digit, (*before, after))):
                plain = plain.translate(_BESIDE_DIGITS)
        if plain:
            kept.append(plain)
    return "".join(kept)


def _is_digit(char: str) -> bool:
    return char.isascii() and char.isdigit()


def _plain(char: str) -> str:
    match unicodedata.category(char):
        case "Zs":
            return " "
        case "Zl" | "Zp":
            return "\n"
        case "Pd":
            return "-"
        case "Cf" | "Cc":
            return " " if char == "\t" else ""
    return "-" if char == "\u2212" else char  # a minus is a sign, not a dash
