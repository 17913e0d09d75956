"""What has happened to a partner's money, for its own systems: the feed and what webhooks send."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.domain.instant import to_rfc3339
from services.domain.public_batch import KIND, BatchStatus
from services.domain.public_operation import STATUSES

BALANCE_LOW = "balance.low"
TEST = "webhook.test"
# What an endpoint may ask for; a test comes whatever it asked for.
EVENT_TYPES = (
    *(
        f"{kind}.{status}"
        for kind, statuses in STATUSES.items()
        if kind.has_events
        for status in statuses
    ),
    *(f"{KIND}.{status}" for status in BatchStatus),
    BALANCE_LOW,
)
EVENTS_LEFT_OUT = 1_000_000  # numbers after a restore: more than were given since the backup
_ID = re.compile(r"ev_([A-Z0-9]{1,16})_([1-9][0-9]{0,15})")


@dataclass(frozen=True, slots=True)
class PartnerEvent:
    """One event, never changed. ``n`` is its place among its partner's events, in the order of the
    commits; ``data`` is JSON, the operation as it was at that version.
    """

    partner: str
    n: int
    type: str
    operation: str | None
    version: int | None
    data: str
    request_id: str | None
    idempotency_key: str | None
    created_at: datetime

    @property
    def id(self) -> str:
        """The same on every try to send it."""
        return event_id(self.partner, self.n)

    def document(self) -> dict[str, Any]:
        """As the feed gives it, and webhooks send it."""
        return {
            "id": self.id,
            "type": self.type,
            "timestamp": to_rfc3339(self.created_at),
            "data": json.loads(self.data),
            "meta": {"request_id": self.request_id, "idempotency_key": self.idempotency_key},
        }

    def body(self) -> bytes:
        """The exact bytes that a webhook sends and signs."""
        return json.dumps(self.document(), separators=(",", ":")).encode()


def event_id(partner: str, n: int) -> str:
    return f"ev_{partner}_{n}"


def place_of(partner: str, id_: str) -> int | None:
    """The place of an event in this partner's feed; ``None`` for what is no id of theirs."""
    match = _ID.fullmatch(id_)
    return int(match[2]) if match is not None and match[1] == partner else None
