"""Partners' own servers in a simulation that has none."""

from __future__ import annotations

from collections.abc import Mapping

from services.domain.webhook import NotTaken, WebhookAnswer


class NoReceivers:
    """``services.ports.WebhookTransport`` without a network: nothing outside is ever called."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        return NotTaken(None, "no connection")

    async def close(self) -> None:
        pass
