"""HTTP clients use the certificates and proxies set in the environment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.adapters import bank_client
from bot.channels.telegram.client import open_bot
from bot.clock import SystemClock
from bot.environment.network import NetworkFault, read_network
from bot.settings import Settings
from services.domain.bank import NotSent
from services.gateways.http_exchange import Exchange, Reply


class SmallProxy:
    """Answers plain HTTP requests itself and refuses tunnels for HTTPS."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        line = head.decode().splitlines()[0].rpartition(" ")[0]
        self.asked.append(line)
        status = b"407 Who are you" if line.startswith("CONNECT") else b"200 OK"
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


@pytest.fixture
async def proxy() -> AsyncIterator[SmallProxy]:
    proxy = SmallProxy()
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    async with server:
        yield proxy


async def send(client: httpx.AsyncClient, url: str) -> object:
    exchange = Exchange(client, SystemClock(), user_agent="Hazina/0.1", connect_s=5, call_s=5)
    return await exchange.send("POST", url, body={"amount": 1})


async def test_a_call_goes_through_the_proxy_of_its_scheme(proxy: SmallProxy) -> None:
    network = read_network({"HTTP_PROXY": f"127.0.0.1:{proxy.port}", "ALL_PROXY": "socks://x:1"})
    async with network.client(["http://bank.test", "http://127.0.0.1:1"], httpx.Limits()) as client:
        answer = await send(client, "http://bank.test/token")
        assert isinstance(answer, Reply)
        assert isinstance(await send(client, "http://127.0.0.1:1/token"), NotSent)
    assert proxy.asked == ["POST http://bank.test/token"]


async def test_a_proxy_that_lets_nobody_through_has_sent_nothing(proxy: SmallProxy) -> None:
    network = read_network({"https_proxy": f"http://desk:word@127.0.0.1:{proxy.port}"})
    async with network.client(["https://bank.test:8443"], httpx.Limits()) as client:
        answer = await send(client, "https://bank.test:8443/stk")
    assert isinstance(answer, NotSent)
    assert "407" in answer.why
    assert proxy.asked == ["CONNECT bank.test:8443"]


async def test_telegram_is_called_through_the_proxy_too(proxy: SmallProxy) -> None:
    network = read_network({"HTTP_PROXY": f"127.0.0.1:{proxy.port}"})
    bot = open_bot("7:x", base_url="http://api.test/bot", network=network)
    async with bot.request as request:
        await request.do_request(f"{bot.base_url}/getMe", "GET")
    assert proxy.asked == ["GET http://api.test/bot7:x/getMe"]


def test_a_proxy_that_cannot_be_used_stops_the_client_that_needs_it() -> None:
    network = read_network({"ALL_PROXY": "socks5://127.0.0.1:1080"})
    with pytest.raises(NetworkFault, match=r"^ALL_PROXY: "):
        bank_client(Settings(ncba_base_url="https://bank.test"), network)
    with pytest.raises(NetworkFault, match=r"^ALL_PROXY: "):
        open_bot("7:x", network=network)


@pytest.mark.parametrize(
    ("variable", "content"),
    [
        ("SSL_CERT_FILE", None),
        ("SSL_CERT_FILE", b""),
        ("SSL_CERT_FILE", b"-----BEGIN CERTIFICATE-----\nkahawa\n"),
        ("SSL_CERT_DIR", None),
        ("SSL_CERT_DIR", b"not a folder"),
    ],
)
def test_certificates_that_are_not_there_are_one_line(
    tmp_path: Path, variable: str, content: bytes | None
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(NetworkFault) as caught:
        read_network({variable: str(path)})
    line = str(caught.value)
    assert line.startswith(f"{variable}: ")
    assert str(path) in line
    assert "\n" not in line


def test_a_folder_without_certificates_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(NetworkFault, match=r"^SSL_CERT_DIR: "):
        read_network({"SSL_CERT_DIR": str(tmp_path)})


def test_empty_variables_are_not_set() -> None:
    names = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE", "ALL_PROXY", "NO_PROXY")
    assert read_network(dict.fromkeys(names, "")).proxy_for("https://bank.test") is None


def test_keys_of_connections_are_never_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    with pytest.raises(NetworkFault, match=r"^SSLKEYLOGFILE: "):
        read_network()
    assert not (tmp_path / "keys").exists()
