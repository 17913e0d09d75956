"""What people are called: tidied when it is read, and told from names that only look the same.

Names here are of Latin letters, as people in Kenya write them: a look-alike in another script is
no name at all, and few are left to be told apart.
"""

from __future__ import annotations

import re
import unicodedata

NAME_MAX = 40  # characters

# What no reader sees, beside control and format characters (Default_Ignorable_Code_Point).
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_TYPED_AS = str.maketrans(
    dict.fromkeys("\u2018\u2019\u02bc\u02b9\u2032\u00b4`", "'")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9 .'_-]*")
# Each as the longest that it can be taken for, so that "vw" and "wv" come to the same.
_SAME_LOOK = str.maketrans(
    dict(zip("01i258", "ollzsb", strict=True)) | {"m": "rn", "w": "vv", "d": "cl"}
)


def tidy(text: str) -> str:
    """As it is kept: one form of each character, single blanks, nothing that cannot be seen."""
    plain = unicodedata.normalize("NFKC", _UNSEEN.sub("", text.translate(_TYPED_AS)))
    seen = (
        " " if char.isspace() else char
        for char in plain
        if char.isspace() or unicodedata.category(char) not in ("Cc", "Cf")
    )
    return " ".join("".join(seen).split())


def is_name(tidied: str) -> bool:
    """Latin letters, with the accents that one character can carry, digits, blanks and ``.'_-``;
    a letter first."""
    if len(tidied) > NAME_MAX or any(unicodedata.combining(char) for char in tidied):
        return False
    return _NAME.fullmatch(_without_accents(tidied)) is not None


def lookalike_key(name: str) -> str:
    """The same for names that can be taken for each other: whatever their case, accents, blanks
    and stops, and whether 0 or O, 1, l or I, 2 or Z, 5 or S, 8 or B, rn or m, vv or w, cl or d."""
    plain = _without_accents(tidy(name)).casefold()
    return "".join(char for char in plain if char.isalnum()).translate(_SAME_LOOK)


def _without_accents(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text)
    return "".join(char for char in parts if not unicodedata.combining(char))
