"""The HTTP edge in the program's own process: it serves while it should, and says if it cannot."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot.web.server import serving

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
    """The answer as soon as the server listens."""
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


async def test_a_port_that_is_taken_stops_the_program() -> None:
    stop = asyncio.Event()
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        async with serving(ROUTES, HOST, taken.getsockname()[1], stop), asyncio.timeout(5):
            await stop.wait()


async def test_without_routes_nothing_listens() -> None:
    port, stop = free_port(), asyncio.Event()
    async with serving([], HOST, port, stop), httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://{HOST}:{port}/hello")


async def test_a_request_that_stalls_does_not_keep_the_program_from_stopping(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.web.server.STOP_S", 1)
    port, stop = free_port(), asyncio.Event()
    async with asyncio.timeout(10):
        async with serving(ROUTES, HOST, port, stop):
            await answer(port)
            _, writer = await asyncio.open_connection(HOST, port)
            head = b"POST /whole HTTP/1.1\r\nHost: desk\r\nContent-Length: 100\r\n\r\n{"
            writer.write(head)
            await writer.drain()
        writer.close()
