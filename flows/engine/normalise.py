"""What people type, tidied once before anything reads it: what nobody sees is no part of it.

Numbers are pasted from contacts, web pages and Windows with directions and isolates around them,
odd blanks between their groups, and dashes and commas that only look like one.
"""

from __future__ import annotations

import unicodedata

# They spell words of some scripts, and choose or hold together what an emoji is made of.
_JOINERS = frozenset("\u034f\u115f\u1160\u200c\u200d\u3164\uffa0") | frozenset(
    map(chr, range(0xFE00, 0xFE10))
)
_BESIDE_DIGITS = str.maketrans("＋﹢，．（）／", "++,.()/")


def normalise_input(text: str) -> str:
    """Without format and control characters; every blank is a blank, every dash a hyphen.

    Ends of lines stay, and so does a joiner behind what is not ASCII. Digits stay what they are:
    those of other scripts are refused by whoever reads numbers (facts: M-PESA, Phones).
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
