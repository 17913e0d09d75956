"""The texts of a PDF with embedded fonts, page by page, in the order in which they are drawn."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

_STREAM = re.compile(rb"stream\n(.*?)\nendstream", re.DOTALL)
_CODE = re.compile(rb"<([0-9A-F]{4})> <([0-9A-F]{4,})>")
_DRAWN = re.compile(rb"/(F\d) [0-9.]+ Tf|\(((?:\\.|[^\\()])*)\) Tj", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def pdf_pages(pdf: bytes) -> list[list[str]]:
    streams = [match[1] for match in _STREAM.finditer(pdf)]
    maps = [_letters(stream) for stream in streams if stream.startswith(b"/CIDInit")]
    fonts = {f"F{number}".encode(): letters for number, letters in enumerate(maps, start=1)}
    count = len(re.findall(rb"/Type /Page\n", pdf))
    pages = [zlib.decompress(stream) for stream in streams[:count]]
    return [list(_texts(page, fonts)) for page in pages]


def _letters(cmap: bytes) -> dict[int, str]:
    return {
        int(code, 16): bytes.fromhex(letter.decode()).decode("utf-16-be")
        for code, letter in _CODE.findall(cmap)
    }


def _texts(page: bytes, fonts: dict[bytes, dict[int, str]]) -> Iterator[str]:
    letters: dict[int, str] = {}
    for font, drawn in _DRAWN.findall(page):
        if font:
            letters = fonts[font]
        else:
            codes = re.sub(
                rb"\\(.)", lambda escape: _ESCAPED.get(escape[1], escape[1]), drawn, flags=re.DOTALL
            )
            pairs = zip(codes[::2], codes[1::2], strict=True)
            yield "".join(letters[256 * high + low] for high, low in pairs)
