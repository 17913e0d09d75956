"""A partner's system that takes webhooks: it keeps what it received, and answers as it is told."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PATH = "/sim/receive"
ANSWER = 200  # to whatever no other answer was armed for


@dataclass(frozen=True, slots=True)
class ReceivedWebhook:
    """``headers`` by lower-case name; ``body`` to the letter."""

    at: datetime
    headers: Mapping[str, str]
    body: str


class WebhookReceiver:
    """Belongs to the outside: it outlives the product. It is an ASGI app, so that it can be called
    over a socket and without one alike."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._answers: deque[int] = deque()
        self.received: list[ReceivedWebhook] = []

    def arm(self, answers: Sequence[int]) -> None:
        """The statuses of the next answers, in order, instead of any armed before."""
        self._answers = deque(answers)

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        """Keep a webhook; returns the status to answer with."""
        text = body.decode(errors="replace")
        self.received.append(ReceivedWebhook(self._now(), dict(headers), text))
        return self._answers.popleft() if self._answers else ANSWER

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        status = self.take(request.headers, await request.body())
        await Response(status_code=status)(scope, receive, send)
