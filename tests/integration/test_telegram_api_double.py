"""The simulated Bot API answers as Telegram does, above all when it refuses."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from random import Random
from typing import Any

import httpx
import pytest
from telegram import Bot

from bot.simulator.clock import VirtualClock
from bot.simulator.telegram_api import BASE_URL, TOKEN, TelegramApi
from bot.telegram.client import open_bot

AMINA = 77


class Caller:
    """Calls methods as any HTTP client would, and keeps status and body."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def __call__(self, method: str, token: str = TOKEN, **fields: Any) -> dict[str, Any]:
        response = await self._client.post(f"http://t/bot{token}/{method}", json=fields)
        body: dict[str, Any] = response.json()
        assert body["ok"] == (response.status_code == 200)
        assert body.get("error_code", 200) == response.status_code
        return body

    async def refused(self, method: str, **fields: Any) -> str:
        body = await self(method, **fields)
        assert not body["ok"], body
        return str(body["description"])

    async def updates(self, **fields: Any) -> list[int]:
        body = await self("getUpdates", **fields)
        return [update["update_id"] for update in body["result"]]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def api(clock: VirtualClock) -> TelegramApi:
    api = TelegramApi(clock)
    api.open_chat(AMINA)
    return api


@pytest.fixture
async def call(api: TelegramApi) -> AsyncIterator[Caller]:
    async with httpx.AsyncClient(transport=api.transport()) as client:
        yield Caller(client)


@pytest.fixture
async def bot(api: TelegramApi) -> AsyncIterator[Bot]:
    async with open_bot(TOKEN, base_url=BASE_URL, transport=api.transport()) as bot:
        yield bot


async def rest() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


async def test_ptb_recognises_the_bot(bot: Bot):
    assert bot.username == "hazina_bot"


async def test_wrong_tokens_and_unknown_methods_are_refused(call: Caller):
    assert (await call("getMe", token="1:other"))["description"] == "Unauthorized"
    assert (await call("getMe", token="nonsense"))["error_code"] == 404
    assert (await call("getMee"))["description"] == "Not Found"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"text": "hi"}, "chat_id is empty"),
        ({"chat_id": AMINA}, "message text is empty"),
        ({"chat_id": AMINA, "text": " \n"}, "message text is empty"),
        ({"chat_id": AMINA, "text": "x" * 4097}, "message is too long"),
        ({"chat_id": AMINA, "text": "hi", "txt": "hi"}, 'field "txt"'),
        ({"chat_id": AMINA, "text": "hi", "parse_mode": "HTML"}, 'field "parse_mode"'),
    ],
)
async def test_messages_with_wrong_fields_are_refused(
    call: Caller, fields: dict[str, Any], why: str
):
    assert (await call.refused("sendMessage", **fields)).startswith(f"Bad Request: {why}")


@pytest.mark.parametrize(
    ("button", "why"),
    [
        ({"text": "", "callback_data": "1:a"}, "non-empty"),
        ({"text": "a"}, "unallowed"),
        ({"text": "a", "callback_data": ""}, "BUTTON_DATA_INVALID"),
        ({"text": "a", "callback_data": "é" * 33}, "BUTTON_DATA_INVALID"),
    ],
)
async def test_buttons_telegram_would_refuse_are_refused(
    call: Caller, button: dict[str, str], why: str
):
    markup = {"inline_keyboard": [[button]]}
    assert why in await call.refused("sendMessage", chat_id=AMINA, text="?", reply_markup=markup)


async def test_a_bot_cannot_write_first(api: TelegramApi, call: Caller):
    why = await call.refused("sendMessage", chat_id=78, text="hi")
    assert why == "Forbidden: bot can't initiate conversation with a user"
    api.user_types(78, "/start")
    assert (await call("sendMessage", chat_id=78, text="hi"))["ok"]


async def test_edits_are_refused_as_telegram_refuses_them(api: TelegramApi, call: Caller):
    sent = await call("sendMessage", chat_id=AMINA, text="one")
    where = {"chat_id": AMINA, "message_id": sent["result"]["message_id"]}
    why = await call.refused("editMessageText", **where, text="one")
    assert why.startswith("Bad Request: message is not modified: ")
    assert (await call("editMessageText", **where, text="two"))["result"]["text"] == "two"
    assert "not modified" in await call.refused("editMessageReplyMarkup", **where)
    await call("deleteMessage", **where)
    why = await call.refused("editMessageText", **where, text="three")
    assert why == "Bad Request: message to edit not found"
    assert api.chat(AMINA).messages[0].edits == ["one"]


async def test_messages_older_than_two_days_stay(
    api: TelegramApi, call: Caller, clock: VirtualClock
):
    api.user_types(AMINA, "1234")
    where = {"chat_id": AMINA, "message_id": api.chat(AMINA).messages[0].message_id}
    clock.jump(clock.now() + timedelta(hours=49))
    assert "can't be deleted" in await call.refused("deleteMessage", **where)


async def test_a_tap_can_be_answered_once(api: TelegramApi, call: Caller):
    api.user_taps(AMINA, 1, "1:yes")
    assert (await call("answerCallbackQuery", callback_query_id="tap-1"))["ok"]
    why = await call.refused("answerCallbackQuery", callback_query_id="tap-1")
    assert why.startswith("Bad Request: query is too old and response timeout expired")


async def test_flood_control_carries_its_seconds(api: TelegramApi, call: Caller):
    api.fail_next("429:5", times=2)
    for _ in range(2):
        body = await call("sendMessage", chat_id=AMINA, text="hi")
        assert body["parameters"] == {"retry_after": 5}
    assert (await call("sendMessage", chat_id=AMINA, text="hi"))["ok"]


async def test_unknown_faults_cannot_be_armed(api: TelegramApi):
    with pytest.raises(ValueError, match="no such fault"):
        api.fail_next("429")


async def test_files_arrive_whole(api: TelegramApi, bot: Bot):
    await bot.send_document(AMINA, b"%PDF\r\n--x", filename="kauli.pdf", caption="Statement")
    await bot.send_photo(AMINA, b"\x89PNG")
    document, photo = api.chat(AMINA).from_bot
    assert document.text == "Statement"
    assert document.file is not None
    assert not isinstance(document.file, str)
    assert (document.file.name, document.file.data) == ("kauli.pdf", b"%PDF\r\n--x")
    assert photo.file is not None


async def test_a_keyboard_can_ask_for_the_contact(api: TelegramApi, call: Caller):
    keyboard = {"keyboard": [[{"text": "Share my number", "request_contact": True}]]}
    for markup in (keyboard, json.dumps(keyboard)):
        await call("sendMessage", chat_id=AMINA, text="?", reply_markup=markup)
        assert api.chat(AMINA).from_bot[-1].reply_keyboard == [["Share my number"]]


async def test_updates_come_again_until_an_offset_passes_them(api: TelegramApi, call: Caller):
    first, second = api.user_types(AMINA, "a"), api.user_types(AMINA, "b")
    assert await call.updates() == [first, second]
    assert await call.updates(limit=1) == [first]
    assert await call.updates(offset=second) == [second]
    assert await call.updates() == [second]
    assert await call.updates(offset=second + 1) == []
    assert api.unacknowledged == []


async def test_unwanted_kinds_are_not_sent(api: TelegramApi, call: Caller):
    await call("getUpdates", allowed_updates=["callback_query"])
    api.user_types(AMINA, "a")
    tap = api.user_taps(AMINA, 1, "1:yes")
    assert await call.updates() == [tap]


async def test_an_acknowledged_update_can_be_sent_again_with_its_id(api: TelegramApi, call: Caller):
    first = api.user_types(AMINA, "a")
    await call.updates(offset=first + 1)
    api.resend(first)
    assert await call.updates(offset=first + 1) == [first]
    assert await call.updates(offset=first + 1) == []


async def test_updates_can_come_out_of_order(api: TelegramApi, call: Caller):
    sent = [api.user_types(AMINA, str(n)) for n in range(5)]
    api.shuffle(Random(1))
    received = await call.updates()
    assert received != sent
    assert sorted(received) == sent


async def test_a_long_poll_ends_at_once_when_something_comes(api: TelegramApi, call: Caller):
    waiting = asyncio.create_task(call.updates(timeout=30))
    await rest()
    assert not waiting.done()
    update_id = api.user_types(AMINA, "a")
    assert await waiting == [update_id]


async def test_a_long_poll_ends_empty_at_its_time(call: Caller, clock: VirtualClock):
    waiting = asyncio.create_task(call.updates(timeout=30))
    await rest()
    clock.jump(clock.now() + timedelta(seconds=30))
    assert await waiting == []


async def test_a_newer_poll_ends_the_older_one(api: TelegramApi, call: Caller):
    older = asyncio.create_task(call.refused("getUpdates", timeout=30))
    await rest()
    newer = asyncio.create_task(call.updates(timeout=30))
    assert (await older).startswith("Conflict: terminated by other getUpdates request")
    update_id = api.user_types(AMINA, "a")
    assert await newer == [update_id]


async def test_a_poller_that_died_swallows_nothing(api: TelegramApi, call: Caller):
    dead = asyncio.create_task(call.updates(timeout=30))
    await rest()
    dead.cancel()
    update_id = api.user_types(AMINA, "a")
    await rest()
    assert await call.updates() == [update_id]


async def test_people_do_all_that_the_bot_reads(api: TelegramApi, bot: Bot):
    api.user_types(AMINA, "/topup 500")
    api.user_edits(AMINA, "600")
    api.user_sends_sticker(AMINA)
    api.user_sends_photo(AMINA)
    api.user_shares_contact(AMINA, "254712345678")
    api.user_shares_contact(AMINA, "254712345679", owner_id=78, forwarded=True)
    api.group_message(-1001, AMINA, "/balance")
    updates = await bot.get_updates()
    assert [update.update_id for update in updates] == api.unacknowledged
    kinds = [
        next(kind for kind in ("edited_message", "message") if update[kind]) for update in updates
    ]
    assert kinds == ["message", "edited_message"] + ["message"] * 5
