"""Every served route gets limits on bodies and answers, and one spelling of callers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.http.request_limits import BODY_MAX, with_request_limits

reached: list[str] = []


async def whole(request: Request) -> Response:
    """A route written without any limit in mind."""
    reached.append(request.method)
    return PlainTextResponse(str(len(await request.body())))


async def caller(request: Request) -> Response:
    assert request.client is not None
    return PlainTextResponse(request.client.host)


async def stuck(request: Request) -> Response:
    await asyncio.Event().wait()
    raise AssertionError


async def slow_lines(request: Request) -> Response:
    async def lines() -> AsyncIterator[str]:
        yield "one\n"
        await asyncio.sleep(0.6)
        yield "two\n"

    return StreamingResponse(lines())


async def own_timeout(request: Request) -> Response:
    raise TimeoutError("of something else")


APP = with_request_limits(
    [
        Route("/whole", whole, methods=["POST"]),
        Route("/caller", caller),
        Route("/stuck", stuck),
        Route("/slow-lines", slow_lines),
        Route("/own-timeout", own_timeout),
    ]
)


def client(host: str = "127.0.0.1") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(APP, client=(host, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://desk")


async def test_a_body_within_bounds_is_read() -> None:
    async with client() as http:
        assert (await http.post("/whole", content=b"x" * BODY_MAX)).text == str(BODY_MAX)


async def test_a_body_that_says_it_is_too_long_reaches_no_route() -> None:
    reached.clear()
    async with client() as http:
        for promised in (str(BODY_MAX + 1), "9" * 19, "9" * 5_000):
            answer = await http.post("/whole", content=b"x", headers={"Content-Length": promised})
            assert answer.status_code == 413
    assert reached == []


async def test_a_body_that_does_not_say_so_is_refused_when_it_is() -> None:
    given = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal given
        while True:
            given += 4096
            yield b"x" * 4096

    async with client() as http:
        assert (await http.post("/whole", content=endless())).status_code == 413
    assert given <= BODY_MAX + 3 * 4096


async def test_a_body_that_stalls_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.http.request_limits.BODY_S", 0.01)

    async def stalls() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    async with client() as http, asyncio.timeout(10):
        answer = await http.post("/whole", content=stalls())
    assert (answer.status_code, answer.headers["connection"]) == (408, "close")


async def test_an_answer_that_does_not_begin_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.http.request_limits.ANSWER_S", 0.01)
    async with client() as http, asyncio.timeout(10):
        assert (await http.get("/stuck")).status_code == 503


async def test_an_answer_that_has_begun_may_be_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.http.request_limits.ANSWER_S", 0.5)
    async with client() as http:
        assert (await http.get("/slow-lines")).text == "one\ntwo\n"


async def test_a_fault_of_a_route_stays_one() -> None:
    async with client() as http:
        with pytest.raises(TimeoutError, match="of something else"):
            await http.get("/own-timeout")


@pytest.mark.parametrize(
    ("given", "spelled"),
    [
        ("::ffff:196.201.214.200", "196.201.214.200"),
        ("fe80::1%eth0", "fe80::1"),
        ("a socket", "a socket"),
    ],
)
async def test_a_caller_has_one_spelling(given: str, spelled: str) -> None:
    async with client(given) as http:
        assert (await http.get("/caller")).text == spelled
