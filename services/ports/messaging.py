"""Message carriers. Answers are values; only cancellation raises."""

from __future__ import annotations

from typing import Protocol

from services.domain.message import Mail, MessageAnswer
from services.domain.phone import Phone


class Sms(Protocol):
    async def send(self, to: Phone, text: str) -> MessageAnswer:
        """Hand one SMS to the carrier, once. Only cancellation raises."""
        ...


class Mailer(Protocol):
    async def send(self, mail: Mail) -> MessageAnswer:
        """Hand one mail to the server, once. Only cancellation raises."""
        ...
