"""What an SMS costs: its text in the alphabet of 160 characters a part, where its words allow.

One character outside GSM-7 (3GPP TS 23.038) makes the whole message UCS-2, 70 characters a part.
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

# What a typist writes for each: the same words, in an alphabet that every phone has.
_WRITTEN: dict[int, str] = {
    **dict.fromkeys(map(ord, "‘’‚‛′`´"), "'"),
    **dict.fromkeys(map(ord, "“”„‟″«»"), '"'),
    **dict.fromkeys(map(ord, "‐‑‒–—―−"), "-"),
    **dict.fromkeys((0x09, 0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F), " "),
    # Invisible: zero-width blanks, directions and isolates, soft hyphen, byte order mark.
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
    """The text as it goes out by SMS: typographic characters as a typist writes them.

    Letters stay what they are: a name that GSM-7 cannot spell makes its message UCS-2.
    """
    return unicodedata.normalize("NFC", text).translate(_WRITTEN)


def septets(text: str) -> int | None:
    """``None`` where it is not GSM-7."""
    extended = sum(char in _EXTENDED for char in text)
    basic = sum(char in _BASIC for char in text)
    return basic + 2 * extended if basic + extended == len(text) else None


def parts(text: str) -> int:
    """How many messages it is sent and charged as."""
    length = septets(text)
    if length is None:
        length = len(text.encode("utf-16-le", "surrogatepass")) // 2
        return 1 if length <= UCS2_ONE_PART else -(-length // UCS2_OF_SEVERAL)
    return 1 if length <= ONE_PART else -(-length // OF_SEVERAL)
