"""What a storm reports."""

from __future__ import annotations

from typing import NamedTuple


class BrokenInvariant(NamedTuple):
    """A broken invariant: its name, and what is wrong."""

    invariant: str
    words: str
