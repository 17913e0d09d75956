"""The HTTP edge inside the program's process: when it serves, and how it reports that it cannot."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot.http.server import PortUnavailable, ServerEnded, _Server, serving, try_port

HOST = "127.0.0.1"


async def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def whole(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


ROUTES = [Route("/hello", hello), Route("/whole", whole, methods=["POST"])]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


async def answer(port: int) -> str:
    """Wait until the server listens, and return its answer."""
    async with httpx.AsyncClient() as client, asyncio.timeout(5):
        while True:
            try:
                return (await client.get(f"http://{HOST}:{port}/hello")).text
            except httpx.ConnectError:
                await asyncio.sleep(0.01)


async def test_routes_are_served_while_the_block_runs_and_not_after() -> None:
    port, stop = free_port(), asyncio.Event()
    async with serving(ROUTES, HOST, port, stop):
        assert await answer(port) == "hello"
        assert not stop.is_set()
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://{HOST}:{port}/hello")


async def test_a_port_that_is_taken_is_refused_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        words = f"^nothing can listen at {HOST} port {port}: Address already in use: set HTTP_HOST"
        with pytest.raises(PortUnavailable, match=words):
            await try_port(HOST, port)
        with pytest.raises(PortUnavailable, match=words):
            async with serving(ROUTES, HOST, port, asyncio.Event()):
                raise AssertionError("somebody else listens")


@pytest.mark.parametrize(
    ("host", "why"), [("203.0.113.1", "Cannot assign requested address"), ("no such host", ".+")]
)
async def test_a_host_that_is_not_this_machine_is_refused_in_one_line(host: str, why: str) -> None:
    with pytest.raises(PortUnavailable, match=f"^nothing can listen at {host} port 0: {why}: set"):
        await try_port(host, 0)


async def test_a_port_that_was_tried_is_free_for_who_serves() -> None:
    port = free_port()
    await try_port(HOST, port)
    async with serving(ROUTES, HOST, port, asyncio.Event()):
        assert await answer(port) == "hello"


async def test_a_server_that_ends_by_itself_stops_the_program_and_is_no_clean_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    servers: list[_Server] = []

    class Known(_Server):
        def __init__(self, config: uvicorn.Config) -> None:
            super().__init__(config)
            servers.append(self)

    async def runs_until_stopped() -> None:
        port, stop = free_port(), asyncio.Event()
        async with serving(ROUTES, HOST, port, stop), asyncio.timeout(5):
            await answer(port)
            servers[0].should_exit = True
            await stop.wait()

    monkeypatch.setattr("bot.http.server._Server", Known)
    with pytest.raises(ServerEnded):
        await runs_until_stopped()


async def test_without_routes_nothing_listens() -> None:
    port, stop = free_port(), asyncio.Event()
    async with serving([], HOST, port, stop), httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://{HOST}:{port}/hello")


async def test_a_request_that_stalls_does_not_keep_the_program_from_stopping(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.http.server.STOP_S", 1)
    port, stop = free_port(), asyncio.Event()
    async with asyncio.timeout(10):
        async with serving(ROUTES, HOST, port, stop):
            await answer(port)
            _, writer = await asyncio.open_connection(HOST, port)
            head = b"POST /whole HTTP/1.1\r\nHost: desk\r\nContent-Length: 100\r\n\r\n{"
            writer.write(head)
            await writer.drain()
        writer.close()
