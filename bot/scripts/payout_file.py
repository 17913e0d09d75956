"""Files of payouts that people in a script send."""

from __future__ import annotations

import codecs
import random
from collections.abc import Sequence

HEAD = "phone,amount,reference"
_SEPARATORS = {"semicolon": ";", "tab": "\t"}
_FIRST_PHONE = 720_000_000
_SHILLINGS = range(10, 101)  # the least that M-PESA pays, up to where it begins to cost more


def good_rows(count: int, seed: int) -> Sequence[str]:
    """A head, and rows that can be paid: as many numbers, each with an amount drawn."""
    drawn = random.Random(seed)
    first = _FIRST_PHONE + drawn.randrange(1_000) * 1_000
    rows = [f"0{first + n},{drawn.choice(_SHILLINGS)},R-{n + 1}" for n in range(count)]
    return [HEAD, *rows]


def written(lines: Sequence[str], form: str | None) -> bytes:
    """``form``: with a byte-order mark, or with other separators."""
    text = "".join(f"{line}\n" for line in lines)
    if form in _SEPARATORS:
        text = text.replace(",", _SEPARATORS[form])
    mark = codecs.BOM_UTF8 if form == "bom" else b""
    return mark + text.encode()
