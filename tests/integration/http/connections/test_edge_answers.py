"""How the HTTP edge answers unusual requests, and when it disconnects silently."""

from __future__ import annotations

import asyncio
import logging

import pytest

from bot.http.connection import HEAD_MAX, WASTED_MAX
from tests.kit.served_edge import CLOSING, GET, HUGE, POST, edge, rest


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
        assert sent < WASTED_MAX + HUGE  # socket buffers count as sent


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
