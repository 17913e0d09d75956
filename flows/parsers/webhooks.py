"""Parser of the address that events are sent to."""

from __future__ import annotations

from dataclasses import dataclass

from flows.engine.host import Host
from services.domain.refusal import Refusal
from services.domain.webhook_url import URL_MAX


@dataclass(frozen=True)
class WebhookUrl:
    """Only its length; the use case checks the rest, by the rules of the installation."""

    def __call__(self, text: str, host: Host) -> str | Refusal:
        typed = text.strip()
        return typed if len(typed) <= URL_MAX else Refusal.of("webhook_url", why="long")
