"""A proxy that the machine reaches the outside through is asked for the checked address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpcore
import pytest

from bot.adapters import webhook_sender
from bot.clock import SystemClock
from bot.environment.network import Network as Environment
from bot.environment.proxies import Proxies
from services.domain.webhook import NotTaken, Taken, WebhookAnswer
from services.gateways.webhooks.pinned_network import WebhookProxy
from services.gateways.webhooks.sender import WebhookSender
from tests.integration.services.webhooks.conftest import Desk
from tests.kit.receiver import NAME, OTHER_PUBLIC, PUBLIC, Names


class ConnectProxy:
    """Connects whatever it is asked for with the receiver."""

    def __init__(self, receiver_port: int) -> None:
        self.receiver_port = receiver_port
        self.answer = b"HTTP/1.1 200 Connection established\r\n\r\n"
        self.asked: list[str] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(self.answer)
        if b" 200 " in self.answer:
            inner = await asyncio.open_connection("127.0.0.1", self.receiver_port)
            await asyncio.gather(_pipe(reader, inner[1]), _pipe(inner[0], writer))
        writer.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()


@pytest.fixture
async def proxy(desk: Desk) -> AsyncIterator[ConnectProxy]:
    proxy = ConnectProxy(desk.receiver.port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    async with server:
        proxy.port = server.sockets[0].getsockname()[1]
        yield proxy


async def post(desk: Desk, proxy: ConnectProxy, *addresses: str) -> WebhookAnswer:
    through = WebhookProxy("http", "127.0.0.1", proxy.port, ("desk", "word"))
    sender = WebhookSender(
        SystemClock(),
        desk.tls,
        resolve=Names(addresses),
        proxy_for=lambda url: through,
        network=httpcore.AnyIOBackend(),
    )
    return await sender.post(f"https://{NAME}:8443/in", {}, b"{}")


async def test_it_is_asked_for_the_checked_address(desk: Desk, proxy: ConnectProxy) -> None:
    assert await post(desk, proxy, PUBLIC) == Taken(200)
    assert proxy.asked[0].startswith(f"CONNECT {PUBLIC}:8443 HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic ZGVzazp3b3Jk\r\n" in proxy.asked[0]
    assert desk.receiver.requests[0].startswith(b"POST /in HTTP/1.1\r\n")


async def test_ipv6_stands_in_brackets(desk: Desk, proxy: ConnectProxy) -> None:
    assert await post(desk, proxy, OTHER_PUBLIC) == Taken(200)
    assert proxy.asked[0].startswith(f"CONNECT [{OTHER_PUBLIC}]:8443 HTTP/1.1\r\n")


async def test_it_is_asked_for_nothing_private(desk: Desk, proxy: ConnectProxy) -> None:
    assert isinstance(await post(desk, proxy, PUBLIC, "10.0.0.1"), NotTaken)
    assert proxy.asked == []


@pytest.mark.parametrize("answer", [b"HTTP/1.1 403 Forbidden\r\n\r\n", b"", b"x" * 9_000])
async def test_a_proxy_that_refuses_is_no_connection(
    desk: Desk, proxy: ConnectProxy, answer: bytes
) -> None:
    proxy.answer = answer
    assert await post(desk, proxy, PUBLIC) == NotTaken(None, "no connection")
    assert desk.receiver.requests == []


async def test_the_proxy_is_that_of_the_other_calls(desk: Desk, proxy: ConnectProxy) -> None:
    environment = {"HTTPS_PROXY": f"http://desk:word@127.0.0.1:{proxy.port}"}
    sender = webhook_sender(Environment(desk.tls, Proxies(environment)), SystemClock())
    assert await sender.post(f"https://{PUBLIC}/in", {}, b"{}") == NotTaken(
        None, "its certificate is not valid"
    )
    assert proxy.asked[0].startswith(f"CONNECT {PUBLIC}:443 HTTP/1.1\r\n")
