"""Nobody who only keeps the HTTP edge waiting keeps others out, or what they hold for ever."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_network

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from structlog.testing import capture_logs

from bot.environment.ip_addresses import IpNetwork
from bot.http.connection import HEAD_MAX, WASTED_MAX
from bot.http.listener import Listener, open_listeners
from bot.http.server import LOOPBACK, serving
from tests.kit.real_time import until

HOST = "127.0.0.1"
GET = b"GET /hello HTTP/1.1\r\nHost: desk\r\n\r\n"
CLOSING = b"GET /hello HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n\r\n"
POST = b"POST /whole HTTP/1.1\r\nHost: desk\r\n"
HUGE = 16 * 1024 * 1024  # more than sockets hold between them


class Edge:
    """A served desk of a few routes, and its callers."""

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
        """All that is answered until the connection is closed."""
        reader, _ = await self.call(said)
        return await rest(reader)

    def leave(self) -> None:
        for writer in self._writers:
            writer.close()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """A connection that is cut off has no more to say than one that is closed."""
    said = bytearray()
    try:
        async with asyncio.timeout(20):
            while part := await reader.read(65_536):
                said += part
    except ConnectionResetError:
        pass
    return bytes(said)


async def trickle(writer: asyncio.StreamWriter) -> None:
    """A byte now and then, for as long as anybody listens."""
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


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.http.server.LATE_TICKS", 1)


# Time


@pytest.mark.parametrize("said", [b"", b"GET /hel", GET[:-2], GET + b"GET"])
async def test_who_does_not_ask_is_let_go(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    async with edge() as desk:
        monkeypatch.setattr("bot.http.connection.HEAD_S", 0.1)
        await desk.ask(said)


async def test_a_head_that_trickles_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async with edge() as desk:
        monkeypatch.setattr("bot.http.connection.HEAD_S", 0.2)
        reader, writer = await desk.call(b"GET /hello HTTP/1.1\r\nHost: desk\r\nX-A: ")
        trickling = asyncio.create_task(trickle(writer))
        assert await rest(reader) == b""
        await trickling


@pytest.mark.parametrize("sized", [b"Content-Length: 500", b"Transfer-Encoding: chunked"])
async def test_a_body_that_stalls_is_told_so(monkeypatch: pytest.MonkeyPatch, sized: bytes) -> None:
    monkeypatch.setattr("bot.http.request_limits.BODY_S", 0.1)
    async with edge() as desk:
        answer = await desk.ask(POST + sized + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 408 ")


async def test_a_body_that_nobody_asked_for_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with edge() as desk:
        monkeypatch.setattr("bot.http.connection.BODY_S", 0.1)
        monkeypatch.setattr("bot.http.connection.OVERDUE_S", 0.1)
        reader, writer = await desk.call(GET[:-2] + b"Content-Length: 100000\r\n\r\n")
        trickling = asyncio.create_task(trickle(writer))
        assert (await rest(reader)).endswith(b"hello")
        await trickling


async def test_who_does_not_read_its_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.http.connection.TAKEN_S", 0.1)
    async with edge() as desk:
        with capture_logs() as logs:
            reader, _ = await desk.call(CLOSING.replace(b"hello", b"huge"))
            await until(lambda: "http_connections_cut" in [line["event"] for line in logs])
        assert len(await rest(reader)) < HUGE


async def test_who_waits_for_us_is_not_late(monkeypatch: pytest.MonkeyPatch) -> None:
    async with edge() as desk:
        reader, _ = await desk.call(CLOSING.replace(b"hello", b"hold"))
        async with asyncio.timeout(20):
            await desk.holding.acquire()
        for name in ("HEAD_S", "BODY_S", "OVERDUE_S", "TAKEN_S"):
            monkeypatch.setattr(f"bot.http.connection.{name}", 0.0)
        assert await desk.ask(b"") == b""  # somebody else was, meanwhile
        desk.held.set()
        assert (await rest(reader)).endswith(b"held")


# Room


async def test_the_silent_make_room_for_who_asks() -> None:
    async with edge(most=4) as desk:
        silent = [await desk.call() for _ in range(10)]
        assert (await desk.ask(CLOSING)).endswith(b"hello")
        await until(lambda: sum(reader.at_eof() for reader, _ in silent) >= 7)


async def test_a_request_in_hand_makes_room_for_nobody() -> None:
    async with edge(most=2) as desk:
        held = [await desk.call(CLOSING.replace(b"hello", b"hold")) for _ in range(2)]
        async with asyncio.timeout(20):
            for _ in held:
                await desk.holding.acquire()
        assert await desk.ask(CLOSING) == b""
        desk.held.set()
        for reader, _ in held:
            assert (await rest(reader)).endswith(b"held")
        assert (await desk.ask(CLOSING)).endswith(b"hello")


async def test_cut_connections_are_counted_and_told_in_one_line() -> None:
    with capture_logs() as logs:
        async with edge(most=2) as desk:
            for _ in range(20):
                await desk.call()
            assert (await desk.ask(CLOSING)).endswith(b"hello")
            await until(lambda: "http_connections_cut" in [line["event"] for line in logs])
    assert [line["event"] for line in logs].count("http_connections_cut") == 1


class Starved(Listener):
    """Where every descriptor of the process is in use."""

    tries = 0

    def _accept(self) -> tuple[int, object]:
        self.tries += 1
        raise OSError(errno.EMFILE, "Too many open files")


async def test_without_descriptors_the_door_rests(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.get_running_loop()
    with Starved(socket.AF_INET, 4, lambda: False) as listener:
        listener.bind((HOST, 0))
        server = await loop.create_server(asyncio.Protocol, sock=listener, backlog=128)
        with socket.create_connection(listener.getsockname()):
            for _ in range(100):
                await asyncio.sleep(0.001)
        server.close()
    assert listener.tries == 1
    assert len(caplog.records) == 1


async def test_all_doors_lead_to_the_same_places(monkeypatch: pytest.MonkeyPatch) -> None:
    async def two(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, 1, 6, "", (host, 0)) for host in ("127.0.0.1", "127.0.0.2")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", two)
    listeners = await open_listeners("localhost", 0, 1, lambda: False)
    callers = []
    for listener in listeners:
        listener.listen()
        callers.append(socket.create_connection(listener.getsockname()))
    first, _ = listeners[0].accept()
    with pytest.raises(ConnectionAbortedError):
        listeners[1].accept()
    for one in (first, *callers, *listeners):
        one.close()


async def test_an_address_that_the_machine_has_not_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hosts = ["192.0.2.1", HOST]

    async def found(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, 1, 6, "", (host, 0)) for host in hosts]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)
    (listener,) = await open_listeners("localhost", 0, 1, lambda: False)
    listener.close()
    hosts.pop()
    with pytest.raises(OSError, match="Cannot assign"):
        await open_listeners("localhost", 0, 1, lambda: False)


async def test_small_answers_leave_at_once() -> None:
    with Listener(socket.AF_INET, 4, lambda: False) as listener:
        listener.bind((HOST, 0))
        listener.listen()
        with socket.create_connection(listener.getsockname()):
            caller, _ = listener.accept()
            assert caller.proto == socket.IPPROTO_TCP  # what asyncio sets TCP_NODELAY by
            caller.close()


# What is said


async def test_a_head_has_an_end() -> None:
    async with edge() as desk:
        head = GET[:-2] + b"X-A: " + b"a" * (4 * HEAD_MAX) + b"\r\n\r\n"
        assert b"hello" not in await desk.ask(head)
        assert b"hello" not in await desk.ask(GET[:-2] + b"a: b\r\n" * HEAD_MAX + b"\r\n")


async def test_what_still_comes_after_the_answer_has_an_end() -> None:
    async with edge() as desk:
        reader, writer = await desk.call(POST + b"Content-Length: 99999999999\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
        sent = 0
        try:
            async with asyncio.timeout(20):
                while True:
                    writer.write(b"x" * 65_536)
                    await writer.drain()
                    sent += 65_536
        except ConnectionError:
            pass
        assert sent < WASTED_MAX + HUGE  # what sockets hold is sent, too


@pytest.mark.parametrize(
    "said",
    [
        b"\x00\xff\r\n\r\n",
        b"GET /hello HTTP/9.9\r\nConnection: close\r\n\r\n",
        b"GET /hello HTTP/1.1\r\n\r\n",  # no Host
        b"GET /\xff HTTP/1.1\r\nHost: desk\r\n\r\n",
        b"GET /%ff%00 HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n\r\n",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Content-Length: 1, 2\r\n\r\n",
        POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        POST + b"Transfer-Encoding: gzip\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nnothex\r\n",
        GET[:-2] + b"Transfer-Encoding: chunked\r\n\r\n\r\nnothex\r\n",
        GET[:-2] + b"Upgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT bank:443 HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n\r\n",
        POST + b"Connection: close\r\nContent-Length: 10\r\n\r\n" + b"x" * 100,
    ],
)
async def test_what_is_no_request_is_no_fault_of_ours(
    said: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with edge() as desk:
            answer = await desk.ask(said)
    assert not answer.startswith(b"HTTP/1.1 5") or answer.startswith(b"HTTP/1.1 501")
    assert caplog.records == []


async def test_what_breaks_after_the_answer_is_cut_without_a_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with edge() as desk:
        reader, writer = await desk.call(GET[:-2] + b"Transfer-Encoding: chunked\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        await reader.readuntil(b"hello")
        writer.write(b"nothex\r\n")
        assert await rest(reader) == b""
    assert caplog.records == []


async def test_old_and_hasty_callers_are_served() -> None:
    async with edge() as desk:
        assert (await desk.ask(b"GET /hello HTTP/1.0\r\n\r\n")).endswith(b"hello")
        assert (await desk.ask(GET * 20 + CLOSING)).count(b"hello") == 21
        chunked = POST + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        assert (await desk.ask(chunked + b"3\r\nabc\r\n" * 5 + b"0\r\n\r\n")).endswith(b"got 15")


async def test_who_asks_first_is_told_before_it_sends() -> None:
    expects = POST + b"Expect: 100-continue\r\nConnection: close\r\n"
    async with edge() as desk:
        reader, writer = await desk.call(expects + b"Content-Length: 3\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 100 ")
        writer.write(b"abc")
        assert (await rest(reader)).endswith(b"got 3")
        answer = await desk.ask(expects + b"Content-Length: 99999999\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 413 ")


# Who calls


@pytest.mark.parametrize(
    ("said", "caller"),
    [
        ("::ffff:196.201.214.200", b"196.201.214.200"),
        ("[::ffff:196.201.214.200]:443", b"196.201.214.200"),
        ("196.201.214.200:5544", b"196.201.214.200"),
        ("192.0.2.1, 196.201.214.200, ::ffff:127.0.0.1", b"196.201.214.200"),
        ("192.0.2.1, 196.201.214.200, ::1", b"196.201.214.200"),
        ("fe80::1%eth0", b"fe80::1"),
    ],
)
async def test_a_proxy_may_spell_the_caller_as_it_likes(said: str, caller: bytes) -> None:
    async with edge() as desk:
        request = CLOSING.replace(b"/hello", b"/caller")
        head = request[:-2] + f"X-Forwarded-For: {said}\r\n\r\n".encode()
        assert (await desk.ask(head)).endswith(b"\r\n\r\n" + caller)


async def test_who_is_no_proxy_speaks_for_nobody() -> None:
    async with edge(proxies=[ip_network("192.0.2.0/24")]) as desk:
        request = CLOSING.replace(b"/hello", b"/caller")
        head = request[:-2] + b"X-Forwarded-For: 196.201.214.200\r\n\r\n"
        assert (await desk.ask(head)).endswith(HOST.encode())
