"""An account that sent too much."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Flood(NamedTuple):
    channel: str
    address: str
    told_at: datetime
    until: datetime
