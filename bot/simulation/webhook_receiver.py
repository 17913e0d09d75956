"""A partner's system that takes webhooks: it keeps what it received, and answers as it is told."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PATH = "/sim/receive"
_ID = re.compile(r"ev_(.+)_[0-9]+")
ANSWER = 200  # to whatever no other answer was armed for


@dataclass(frozen=True, slots=True)
class ReceivedWebhook:
    """``headers`` by lower-case name; ``body`` to the letter."""

    at: datetime
    headers: Mapping[str, str]
    body: str
    partner: str | None  # whose event it is
    status: int  # that it was answered with


class WebhookReceiver:
    """Belongs to the outside: it outlives the product. It is an ASGI app, so that it can be called
    over a socket and without one alike."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._answers: dict[str | None, deque[int]] = {}
        self.received: list[ReceivedWebhook] = []

    def arm(self, answers: Sequence[int], partner: str | None = None) -> None:
        """The statuses of the next answers, in order, instead of any armed before: to whoever's
        events, or to a partner's."""
        self._answers[partner] = deque(answers)

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        """Keep a webhook; returns the status to answer with. ``headers`` by lower-case name."""
        named = _ID.fullmatch(headers.get("webhook-id", ""))
        partner = None if named is None else named[1]
        armed = self._answers.get(partner) or self._answers.get(None)
        status = armed.popleft() if armed else ANSWER
        text = body.decode(errors="replace")
        self.received.append(ReceivedWebhook(self._now(), dict(headers), text, partner, status))
        return status

    def taken(self, partner: str) -> int:
        """How many events of the partner were taken, repeated ones counted once."""
        return len(
            {
                one.headers["webhook-id"]
                for one in self.received
                if one.partner == partner and one.status // 100 == 2
            }
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        status = self.take(request.headers, await request.body())
        await Response(status_code=status)(scope, receive, send)
