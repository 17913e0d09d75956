"""People's names: normalised when read, and compared so that look-alikes are not confused.

Names here use Latin letters, as people in Kenya write them. Look-alikes in other scripts are
refused as names, which leaves few pairs to tell apart.
"""

from __future__ import annotations

import re
import unicodedata

NAME_MAX = 40  # characters

# Invisible besides control and format characters (Default_Ignorable_Code_Point).
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_TYPED_AS = str.maketrans(
    dict.fromkeys("\u2018\u2019\u02bc\u02b9\u2032\u00b4`", "'")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9 .'_-]*")
# Each as the longest it can be mistaken for, so that "vw" and "wv" become the same.
_SAME_LOOK = str.maketrans(
    dict(zip("01i258", "ollzsb", strict=True)) | {"m": "rn", "w": "vv", "d": "cl"}
)


def tidy(text: str) -> str:
    """As stored: normalised characters, single blanks, nothing invisible."""
    plain = unicodedata.normalize("NFKC", _UNSEEN.sub("", text.translate(_TYPED_AS)))
    seen = (
        " " if char.isspace() else char
        for char in plain
        if char.isspace() or unicodedata.category(char) not in ("Cc", "Cf")
    )
    return " ".join("".join(seen).split())


def is_name(tidied: str) -> bool:
    """Latin letters, including precomposed accents, digits, blanks and ``.'_-``; a letter first."""
    if len(tidied) > NAME_MAX or any(unicodedata.combining(char) for char in tidied):
        return False
    return _NAME.fullmatch(_without_accents(tidied)) is not None


def lookalike_key(name: str) -> str:
    """The same key for names that can be mistaken for each other: ignoring case, accents, blanks
    and stops, and equating 0 and O, 1, l and I, 2 and Z, 5 and S, 8 and B, rn and m, vv and w, cl
    and d."""
    plain = _without_accents(tidy(name)).casefold()
    return "".join(char for char in plain if char.isalnum()).translate(_SAME_LOOK)


def _without_accents(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text)
    return "".join(char for char in parts if not unicodedata.combining(char))
