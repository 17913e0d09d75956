"""One message to everybody."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Broadcast(NamedTuple):
    """``told`` counts messages; ``state`` is RUNNING, STOPPED or DONE."""

    id: str
    text: str
    started_by: str
    started_at: datetime
    state: str
    last_person: int
    told: int


class Recipient(NamedTuple):
    person_id: int
    channel: str
    address: str
    language: str
