"""An HTTP server with a few routes, and callers that keep it waiting."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.environment.ip_addresses import IpNetwork
from bot.http.server import LOOPBACK, serving

HOST = "127.0.0.1"
GET = b"GET /hello HTTP/1.1\r\nHost: desk\r\n\r\n"
CLOSING = b"GET /hello HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n\r\n"
POST = b"POST /whole HTTP/1.1\r\nHost: desk\r\n"
HUGE = 16 * 1024 * 1024  # larger than the sockets' buffers together


class Edge:
    """An HTTP server with a few routes, and its callers."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.held = asyncio.Event()
        self.holding = asyncio.Semaphore(0)
        self._writers: list[asyncio.StreamWriter] = []

    def routes(self) -> list[Route]:
        async def hello(request: Request) -> Response:
            return PlainTextResponse("hello")

        async def whole(request: Request) -> Response:
            return PlainTextResponse(f"got {len(await request.body())}")

        async def hold(request: Request) -> Response:
            self.holding.release()
            await self.held.wait()
            return PlainTextResponse("held")

        async def huge(request: Request) -> Response:
            return Response(b"x" * HUGE)

        async def caller(request: Request) -> Response:
            return PlainTextResponse(request.client.host if request.client else "")

        return [
            Route("/hello", hello),
            Route("/whole", whole, methods=["POST"]),
            Route("/hold", hold),
            Route("/huge", huge),
            Route("/caller", caller),
        ]

    async def call(self, said: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(HOST, self.port)
        self._writers.append(writer)
        writer.write(said)
        return reader, writer

    async def ask(self, said: bytes) -> bytes:
        """Send ``said``; returns everything received until the connection is closed."""
        reader, _ = await self.call(said)
        return await rest(reader)

    def leave(self) -> None:
        for writer in self._writers:
            writer.close()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """Read until the connection ends; a reset counts as closed."""
    said = bytearray()
    try:
        async with asyncio.timeout(20):
            while part := await reader.read(65_536):
                said += part
    except ConnectionResetError:
        pass
    return bytes(said)


async def trickle(writer: asyncio.StreamWriter) -> None:
    """Send a byte now and then until the connection ends."""
    try:
        while True:
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(0.02)
    except ConnectionError:
        pass


@asynccontextmanager
async def edge(most: int = 16, proxies: Sequence[IpNetwork] = LOOPBACK) -> AsyncIterator[Edge]:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        desk = Edge(probe.getsockname()[1])
    stop = asyncio.Event()
    async with serving(desk.routes(), HOST, desk.port, stop, connections_max=most, proxies=proxies):
        while True:
            try:
                assert (await desk.ask(CLOSING)).endswith(b"hello")
                break
            except ConnectionRefusedError:
                await asyncio.sleep(0.01)
        try:
            yield desk
        finally:
            desk.held.set()
            desk.leave()
