"""Messages as they wait in the outbox."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import NamedTuple


class Rank(IntEnum):
    """The order in which waiting messages are sent."""

    ANSWER = 0  # to a person's own action: screens, outcomes, codes
    NOTICE = 1
    BULK = 2  # digests and broadcasts


class OutboxRow(NamedTuple):
    """One message. ``rows`` is JSON: rows of [option id, label]; the schema explains the rest.

    ``put_off``: sending failed, and is not retried before ``due_at``.
    """

    id: int
    channel: str
    address: str
    event_id: str | None
    n: int
    kind: str
    slot: str | None
    edits: bool
    text: str
    rows: str
    turn: int
    fallback: str | None
    protect: bool
    otp: str | None
    target: str | None
    silent: bool
    document: str | None
    attempts: int
    due_at: datetime
    unsure: int = 0
    rank: int = Rank.ANSWER
    put_off: bool = False


BEFORE_ALL = (-1, 0)  # the position before every queued message
