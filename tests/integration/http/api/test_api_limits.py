"""What is refused before a call is read, or takes too long, is worded as a problem."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.http import request_limits
from bot.http.api.routes import api_refusal
from bot.http.request_limits import BODY_MAX, with_request_limits


async def stuck(request: Request) -> Response:
    await request.body()
    await asyncio.Event().wait()
    raise AssertionError


APP = with_request_limits(
    [Route(path, stuck, methods=["GET", "POST"]) for path in ("/v1/float/purchase", "/other")],
    api_refusal,
)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(APP), base_url="http://desk"
    ) as client:
        yield client


async def test_too_large_a_body_is_a_problem(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/float/purchase", content=b"x" * (BODY_MAX + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == answer.json()["request_id"]
    assert answer.json()["money"] == "none"


@pytest.mark.parametrize(("method", "money"), [("GET", "none"), ("POST", "pending")])
async def test_what_took_too_long_may_have_moved_money_if_it_could(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, method: str, money: str
) -> None:
    monkeypatch.setattr(request_limits, "ANSWER_S", 0.05)
    answer = await http.request(method, "/v1/float/purchase")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.json()["money"] == money


async def test_a_body_that_does_not_arrive_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_limits, "BODY_S", 0.05)
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/float/purchase",
        "headers": [],
        "query_string": b"",
        "client": None,
    }
    await APP(scope, receive, send)
    assert sent[0]["status"] == 400
    assert (b"connection", b"close") in sent[0]["headers"]
    assert json.loads(sent[1]["body"])["code"] == "invalid_request"


async def test_other_paths_are_refused_without_words(http: httpx.AsyncClient) -> None:
    answer = await http.post("/other", content=b"x" * (BODY_MAX + 1))
    assert (answer.status_code, answer.content) == (413, b"")
