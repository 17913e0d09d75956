"""Partners' own servers in a simulation: every address leads to the one simulated receiver."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from bot.simulation.webhook_receiver import PATH, WebhookReceiver
from services.domain.refusal import Refusal
from services.domain.webhook import NotTaken, WebhookAnswer, read_answer
from services.domain.webhook_url import check_url

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def is_own(url: str) -> bool:
    """Whether it is the receiver that a served world has on its own port."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and parts.hostname in LOOPBACK
            and (parts.path, parts.query, parts.fragment) == (PATH, "", "")
            and "@" not in parts.netloc
        )
    except ValueError:
        return False


def check_simulated_url(url: str) -> str | Refusal:
    """A simulated world allows its own receiver, besides what the real one allows."""
    return url if is_own(url) else check_url(url)


class SimulatedReceivers:
    """``services.ports.WebhookTransport`` without a network. ``everywhere``: each address that may
    be stored leads to the receiver, not only its own."""

    def __init__(self, receiver: WebhookReceiver, *, everywhere: bool) -> None:
        self._receiver = receiver
        self._everywhere = everywhere

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        if not self._everywhere and not is_own(url):
            return NotTaken(None, "no connection")
        lower = {name.lower(): value for name, value in headers.items()}
        return read_answer(self._receiver.take(lower, body))

    async def close(self) -> None:
        pass
