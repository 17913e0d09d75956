"""Ids and references from an alphabet without look-alikes, so that they survive a phone call."""

from __future__ import annotations

from typing import Protocol

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # no 0/O, no 1/I/L
REFERENCE_LENGTH = 6


class RandomSource(Protocol):
    """Where randomness comes from: the system's, or a seed's in simulation."""

    def randrange(self, stop: int, /) -> int: ...


def new_reference(prefix: str, random: RandomSource, length: int = REFERENCE_LENGTH) -> str:
    """A reference such as ``TU-7K3QF9``: about 887 million a prefix.

    Uniqueness is the database's to hold; a caller draws again on a clash.
    """
    drawn = (ALPHABET[random.randrange(len(ALPHABET))] for _ in range(length))
    return f"{prefix}-{''.join(drawn)}"
