"""A credential as it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """``name`` is the setting it replaces, ``set_at`` when its value was last set."""

    name: str
    sealed: str
    set_at: datetime
