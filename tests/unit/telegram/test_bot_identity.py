"""How an answer to getMe is read, however odd it is."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from bot.channels.telegram.client import open_bot
from bot.channels.telegram.connect import connect
from bot.channels.telegram.identity import (
    BotMisconfigured,
    TelegramUnreachable,
    check_identity,
    verify_bot,
)

# ``open_bot`` silences this too: PTB warns about its own property when it builds the error.
pytestmark = pytest.mark.filterwarnings("ignore:.*attribute `retry_after`")

TOKEN = "7000000001:only-for-this-test"
ME = {"id": 7_000_000_001, "is_bot": True, "first_name": "Hazina", "username": "hazina_bot"}
NOT_FOUND = {"ok": False, "error_code": 404, "description": "Not Found"}
UNAUTHORIZED = {"ok": False, "error_code": 401, "description": "Unauthorized"}


def of(result: object) -> bytes:
    return json.dumps({"ok": True, "result": result}).encode()


@pytest.mark.parametrize(
    ("status", "payload", "setting"),
    [
        (200, b"<!doctype html><html>Welcome to the hotel</html>", "TELEGRAM_BASE_URL"),
        (200, b"", "TELEGRAM_BASE_URL"),
        (200, b"\xff\xfe", "TELEGRAM_BASE_URL"),
        (200, b"[" * 100_000, "TELEGRAM_BASE_URL"),
        (200, b"[]", "TELEGRAM_BASE_URL"),
        (200, b"{}", "TELEGRAM_BASE_URL"),
        (200, b'{"ok": "true"}', "TELEGRAM_BASE_URL"),
        (204, b"", "TELEGRAM_BASE_URL"),
        (301, b"", "TELEGRAM_BASE_URL"),
        (302, b"<html>", "TELEGRAM_BASE_URL"),
        (307, b'{"ok": true}', "TELEGRAM_BASE_URL"),
        (403, b"<html>blocked by your company</html>", "TELEGRAM_BASE_URL"),
        (404, b"<html>nginx</html>", "TELEGRAM_BASE_URL"),
        (404, json.dumps(NOT_FOUND).encode(), "TELEGRAM_BOT_TOKEN"),
        (401, json.dumps(UNAUTHORIZED).encode(), "TELEGRAM_BOT_TOKEN"),
        (200, of(None), "TELEGRAM_BASE_URL"),
        (200, of(True), "TELEGRAM_BASE_URL"),
        (200, of({}), "TELEGRAM_BASE_URL"),
        (200, of(ME | {"id": "7000000001"}), "TELEGRAM_BASE_URL"),
        (200, of(ME | {"is_bot": False}), "TELEGRAM_BASE_URL"),
        (200, of(ME | {"username": None}), "TELEGRAM_BASE_URL"),
        (200, of(ME | {"username": "../x"}), "TELEGRAM_BASE_URL"),
        (200, of(ME | {"first_name": None}), "TELEGRAM_BASE_URL"),
        (200, of(ME | {"id": 7_000_000_002}), "TELEGRAM_BASE_URL"),
    ],
)
def test_a_wrong_token_or_address_is_one_line_that_names_the_setting(
    status: int, payload: bytes, setting: str
) -> None:
    with pytest.raises(BotMisconfigured) as caught:
        check_identity(status, payload, TOKEN)
    line = str(caught.value)
    assert line.startswith(f"{setting}: ")
    assert "\n" not in line
    assert "only-for-this-test" not in line


@pytest.mark.parametrize(
    ("status", "payload"),
    [
        (500, b""),
        (502, b"<html>Bad Gateway</html>"),
        (429, json.dumps({"ok": False, "parameters": {"retry_after": 5}}).encode()),
        (400, json.dumps({"ok": False, "description": f"Logged out\n{TOKEN}"}).encode()),
    ],
)
def test_what_may_pass_is_asked_again(status: int, payload: bytes) -> None:
    with pytest.raises(TelegramUnreachable) as caught:
        check_identity(status, payload, TOKEN)
    assert str(status) in str(caught.value)
    assert "only-for-this-test" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_bot_of_the_token_is_recognised_with_whatever_else_it_says() -> None:
    check_identity(200, of(ME | {"something_new": {"a": [1]}}), TOKEN)


async def test_a_connection_that_does_not_stand_says_why() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("certificate verify failed", request=request)

    with pytest.raises(TelegramUnreachable, match=r"^ConnectError: certificate verify failed$"):
        await verify_bot(open_bot(TOKEN, transport=httpx.MockTransport(refuse)))


@pytest.mark.parametrize("result", [{"id": 1}, ME | {"username": None}])
async def test_a_start_ends_where_no_repeating_helps(result: dict[str, Any]) -> None:
    answered = httpx.MockTransport(lambda _: httpx.Response(200, content=of(result)))
    with pytest.raises(BotMisconfigured):
        await connect(open_bot(TOKEN, transport=answered), {}, asyncio.Event())


async def test_a_start_waits_while_telegram_is_away() -> None:
    stop = asyncio.Event()

    def away(_: httpx.Request) -> httpx.Response:
        stop.set()
        return httpx.Response(502, text="<html>Bad Gateway</html>")

    assert not await connect(open_bot(TOKEN, transport=httpx.MockTransport(away)), {}, stop)
