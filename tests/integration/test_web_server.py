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


ROUTES = [Route("/hello", hello)]


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
