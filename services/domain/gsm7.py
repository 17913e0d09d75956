"""SMS encoding: keep texts within GSM-7 (160 characters per part) where possible, and count parts.

One character outside GSM-7 (3GPP TS 23.038) makes the whole message UCS-2, 70 characters per part.
"""

from __future__ import annotations

import unicodedata

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")  # two septets each
ONE_PART, OF_SEVERAL = 160, 153  # septets
UCS2_ONE_PART, UCS2_OF_SEVERAL = 70, 67  # UTF-16 units

# The plain equivalent of each typographic character, in the alphabet every phone has.
_WRITTEN: dict[int, str] = {
    **dict.fromkeys(map(ord, "‘’‚‛′`´"), "'"),
    **dict.fromkeys(map(ord, "“”„‟″«»"), '"'),
    **dict.fromkeys(map(ord, "‐‑‒–—―−"), "-"),
    **dict.fromkeys((0x09, 0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F), " "),
    # Invisible: zero-width blanks, direction marks and isolates, soft hyphen, byte order mark.
    **dict.fromkeys(
        (0xAD, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF), ""
    ),
    ord("…"): "...",
    ord("→"): "->",
    ord("•"): "-",
    ord("·"): ".",
    ord("×"): "x",
}


def as_sms_text(text: str) -> str:
    """The text as sent by SMS, with typographic characters replaced by plain ones.

    Letters are kept: a name outside GSM-7 makes its message UCS-2.
    """
    return unicodedata.normalize("NFC", text).translate(_WRITTEN)


def plain(text: str) -> str:
    """In GSM-7 throughout: letters lose accents that it does not have, and what is left is "?"."""
    return "".join(map(_plain, as_sms_text(text)))


def _plain(char: str) -> str:
    if char in _BASIC or char in _EXTENDED:
        return char
    base = unicodedata.normalize("NFKD", char)[:1]
    return base if base in _BASIC else "?"


def cut(text: str, most: int) -> str:
    """The beginning of a GSM-7 text, in ``most`` septets; a dot at its end says that it was cut."""
    if width(text) <= most:
        return text
    kept, used = [], 1  # for the dot
    for char in text:
        used += width(char)
        if used > most:
            break
        kept.append(char)
    return "".join(kept).rstrip() + "."


def width(text: str) -> int:
    """Septets of a text that is GSM-7."""
    length = septets(text)
    assert length is not None, "it was made plain before"
    return length


def septets(text: str) -> int | None:
    """``None`` if it is not GSM-7."""
    extended = sum(char in _EXTENDED for char in text)
    basic = sum(char in _BASIC for char in text)
    return basic + 2 * extended if basic + extended == len(text) else None


def parts(text: str) -> int:
    """How many parts it is sent and charged as."""
    length = septets(text)
    if length is None:
        length = len(text.encode("utf-16-le", "surrogatepass")) // 2
        return 1 if length <= UCS2_ONE_PART else -(-length // UCS2_OF_SEVERAL)
    return 1 if length <= ONE_PART else -(-length // OF_SEVERAL)
