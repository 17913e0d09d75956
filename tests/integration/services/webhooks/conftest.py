"""A sender whose names and network are the test's."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from bot.clock import SystemClock
from services.domain.webhook import WebhookAnswer
from services.gateways.webhooks.sender import WebhookSender
from tests.kit.receiver import NAME, PUBLIC, Names, Network, Receiver, certificate


class Desk:
    """``post`` sends one event to the receiver, which only ``NAME`` has a certificate for."""

    def __init__(self, receiver: Receiver, trusted: Path) -> None:
        self.receiver = receiver
        self.tls = ssl.create_default_context(cafile=str(trusted))
        self.network = Network(receiver)
        self.names = Names([PUBLIC])

    def resolves(self, *answers: Sequence[str]) -> None:
        self.names = Names(*answers)

    async def post(self, url: str = f"https://{NAME}/in") -> WebhookAnswer:
        sender = WebhookSender(SystemClock(), self.tls, resolve=self.names, network=self.network)
        return await sender.post(url, {"webhook-id": "ev_DUKA_1"}, b'{"a":1}')


@pytest.fixture(scope="session")
def certificate_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("certificates"), NAME)


@pytest.fixture
async def desk(certificate_file: Path) -> AsyncIterator[Desk]:
    async with Receiver(certificate_file).serving() as receiver:
        yield Desk(receiver, certificate_file)
