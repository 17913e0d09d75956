"""The webhook answers 200 when an update is decided; otherwise Telegram sends it again."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

import httpx
import pytest
from pydantic_core import to_json

from bot.channels.telegram.client import open_bot
from bot.channels.telegram.webhook import (
    BODY_MAX,
    PATH,
    SECRET_HEADER,
    register_webhook,
    webhook_app,
)
from bot.channels.telegram.wire import InboundUpdate
from bot.simulation.clock import VirtualClock
from bot.simulation.telegram.server import BASE_URL, TOKEN, TelegramApi
from flows.engine.event import Event
from tests.kit.recording_handler import RecordingHandler

SECRET = "s3cret_of-the-hook"
URL = f"https://desk.example{PATH}"
UPDATE = to_json(
    {
        "update_id": 1,
        "message": {
            "message_id": 1,
            "from": {"id": 77},
            "chat": {"id": 77, "type": "private"},
            "text": "500",
        },
    }
)


@pytest.fixture
def handler() -> RecordingHandler[InboundUpdate]:
    return RecordingHandler()


@pytest.fixture
async def client(handler: RecordingHandler[InboundUpdate]) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(webhook_app(handler.take, SECRET))
    async with httpx.AsyncClient(transport=transport) as client:
        yield client


async def post(client: httpx.AsyncClient, body: bytes, secret: str | bytes = SECRET) -> int:
    response = await client.post(URL, content=body, headers={SECRET_HEADER: secret})
    assert response.content == b""
    return response.status_code


async def test_a_decided_update_is_answered_200(
    client: httpx.AsyncClient, handler: RecordingHandler[InboundUpdate]
):
    assert await post(client, UPDATE) == 200
    assert [inbound.text for inbound in handler.taken if isinstance(inbound, Event)] == ["500"]


async def test_the_answer_waits_for_the_decision(
    client: httpx.AsyncClient, handler: RecordingHandler[InboundUpdate]
):
    handler.free.clear()
    answer = asyncio.create_task(post(client, UPDATE))
    for _ in range(100):
        await asyncio.sleep(0)
    assert not answer.done()
    handler.free.set()
    assert await answer == 200


@pytest.mark.parametrize("secret", ["", "wrong", SECRET + "x", SECRET.upper(), b"\xff\xfe"])
async def test_without_the_secret_nothing_is_read(
    client: httpx.AsyncClient, handler: RecordingHandler[InboundUpdate], secret: str | bytes
):
    assert await post(client, UPDATE, secret) == 403
    assert (await client.post(URL, content=UPDATE)).status_code == 403
    assert handler.taken == []


async def test_what_is_not_committed_is_asked_for_again(
    client: httpx.AsyncClient, handler: RecordingHandler[InboundUpdate]
):
    handler.failures_left = 1
    assert await post(client, UPDATE) == 503
    assert await post(client, UPDATE) == 200


async def test_json_without_meaning_is_taken_and_the_rest_is_not(client: httpx.AsyncClient):
    assert await post(client, b'{"update_id": 5, "poll": {}}') == 200
    assert await post(client, b"[]") == 200
    assert await post(client, b"update_id=5") == 400


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 60_000,
        b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
        b'{"update_id": 1, "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"update_id": 1, "message": ' + b'{"message":' * 12_000 + b"1" + b"}" * 12_001,
        b'{"update_id": 1, "x": ' + b"[" * 500 + b"]" * 500 + b', "y": "\\ud800"}',
        b'{"update_id": ' + b"9" * 5_000 + b"}",
        b'{"update_id": 1, "x": ' + b"9" * 5_000 + b"}",
        b'{"update_id": 1e999999}',
        b'{"update_id": NaN}',
        b'{"update_id": 1, "x": -Infinity}',
        b'{"update_id": 1, "update_id": 2}',
        b'{"update_id": "1"}',
        b'{"\\ud800": "\\udfff", "update_id": 1}',
        b'{"update_id": 1, "message": {"text": "\xff\xfe"}}',
        '{"update_id": 1}'.encode("utf-16"),
        b"\xef\xbb\xbf{}",
        b"\x00",
        b"",
    ],
)
async def test_whatever_the_body_is_it_is_no_fault_of_ours(
    client: httpx.AsyncClient, handler: RecordingHandler[InboundUpdate], body: bytes
):
    assert await post(client, body) in (200, 400)
    assert handler.taken == []


async def test_a_body_that_recurses_is_refused(client: httpx.AsyncClient):
    assert await post(client, b'{"update_id": 1, "x": ' + b"[" * 9_000 + b"]" * 9_000 + b"}") == 400


async def test_a_body_over_the_limit_is_refused(
    client: httpx.AsyncClient, handler: RecordingHandler[InboundUpdate]
):
    assert await post(client, UPDATE + b" " * (BODY_MAX - len(UPDATE))) == 200
    assert await post(client, UPDATE + b" " * (BODY_MAX - len(UPDATE) + 1)) == 413
    assert len(handler.taken) == 1


async def test_only_post_is_served(client: httpx.AsyncClient):
    assert (await client.get(URL)).status_code == 405


@pytest.mark.parametrize("secret", ["", "with space", "x" * 257])
def test_a_secret_telegram_would_not_take_is_refused_at_start(
    handler: RecordingHandler[InboundUpdate], secret: str
):
    with pytest.raises(ValueError, match="secret"):
        webhook_app(handler.take, secret)


async def test_telegram_repeats_an_update_until_it_is_taken(
    client: httpx.AsyncClient, handler: RecordingHandler[InboundUpdate]
):
    async def deliver(url: str, body: bytes, headers: Mapping[str, str]) -> int:
        return (await client.post(url, content=body, headers=dict(headers))).status_code

    clock = VirtualClock()
    api = TelegramApi(clock, post=deliver)
    bot = open_bot(TOKEN, base_url=BASE_URL, transport=api.transport())
    await register_webhook(bot, URL, SECRET)
    handler.failures_left = 2
    update_id = api.user_types(77, "500")
    for _ in range(200):  # it is sent, refused, and sent again at once
        await asyncio.sleep(0)
    assert (handler.failures_left, handler.taken, api.unacknowledged) == (0, [], [update_id])
    clock.jump(clock.now() + timedelta(seconds=2))
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(handler.taken) == 1
    assert api.unacknowledged == []
    api.close()
