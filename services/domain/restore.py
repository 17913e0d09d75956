"""What a restored backup leaves uncertain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple


class Restore(NamedTuple):
    """``found`` holds the references, or the number, of uncertain items by kind."""

    id: int
    made_at: datetime
    found: Mapping[str, list[str] | int]
