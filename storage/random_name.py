"""Names that nothing else has had."""

from __future__ import annotations

from random import SystemRandom
from string import ascii_lowercase


def new_name() -> str:
    """Letters only: whoever looks for secrets in what is stored looks for digits."""
    return "".join(SystemRandom().choices(ascii_lowercase, k=24))
