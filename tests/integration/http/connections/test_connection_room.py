"""No caller can keep others out of the HTTP edge; all its listeners share one connection limit."""

from __future__ import annotations

import asyncio
import errno
import socket

import pytest
from structlog.testing import capture_logs

from bot.http.listener import Listener, open_listeners
from tests.kit.real_time import until
from tests.kit.served_edge import CLOSING, HOST, edge, rest


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
    """A listener in a process that has no free file descriptor."""

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
            assert caller.proto == socket.IPPROTO_TCP  # asyncio sets TCP_NODELAY only for TCP
            caller.close()
