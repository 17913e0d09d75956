"""Ids and references in an alphabet without look-alikes, so that they survive a phone call."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NewType, Protocol, TypeVar

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # no 0/O, no 1/I/L
REFERENCE_LENGTH = 6
_REFERENCE = re.compile(rf"[A-Z]{{2}}-[{ALPHABET}]{{{REFERENCE_LENGTH}}}")
DRAWS_MAX = 16  # a clash has a probability of one in thousands, at a million references

_Drawn = TypeVar("_Drawn")

# Names something of a partner, such as an operation. A handler's parameter of this type is refused
# to people of another partner.
Reference = NewType("Reference", str)


class RandomSource(Protocol):
    """The source of randomness: the system's, or a seeded one in simulation."""

    def randrange(self, stop: int, /) -> int: ...


def new_reference(prefix: str, random: RandomSource, length: int = REFERENCE_LENGTH) -> str:
    """A reference such as ``TU-7K3QF9``: about 887 million per prefix.

    Uniqueness is enforced by the database; see ``draw_unique`` for clashes.
    """
    drawn = (ALPHABET[random.randrange(len(ALPHABET))] for _ in range(length))
    return f"{prefix}-{''.join(drawn)}"


def draw_text(random: RandomSource, length: int) -> str:
    """Characters of ``ALPHABET``, all from one draw: the system's randomness is asked once."""
    drawn, number = [], random.randrange(len(ALPHABET) ** length)
    for _ in range(length):
        number, place = divmod(number, len(ALPHABET))
        drawn.append(ALPHABET[place])
    return "".join(drawn)


def looks_like_reference(text: str) -> bool:
    """Whether it has the form of an operation's reference, in capitals or not."""
    return _REFERENCE.fullmatch(text.upper()) is not None


def draw_unique(draw: Callable[[], _Drawn], is_added: Callable[[_Drawn], bool]) -> _Drawn:
    """Draw until ``is_added`` accepts a value, which it stores or reserves.

    Raises ``RuntimeError`` after ``DRAWS_MAX`` clashes.
    """
    for _ in range(DRAWS_MAX):
        drawn = draw()
        if is_added(drawn):
            return drawn
    raise RuntimeError("no free reference found")
