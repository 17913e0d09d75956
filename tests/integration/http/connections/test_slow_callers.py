"""The HTTP edge does not wait for callers that stall."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from tests.kit.real_time import until
from tests.kit.served_edge import CLOSING, GET, HUGE, POST, edge, rest, trickle


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
        assert await desk.ask(b"") == b""  # another caller is late meanwhile
        desk.held.set()
        assert (await rest(reader)).endswith(b"held")
