"""Our channel, through python-telegram-bot, against the simulated Bot API."""

import logging
from collections.abc import AsyncIterator

import httpx
import pytest
from telegram import Bot
from telegram.error import InvalidToken

from bot.channels.telegram.client import open_bot
from bot.channels.telegram.menus import register_commands, show_commands
from bot.channels.telegram.sender import TelegramChannel
from bot.outbox.channel import (
    Blocked,
    MessageContent,
    MessageGone,
    RetryAfter,
    Unclear,
    Undeliverable,
)
from bot.simulation.clock import VirtualClock
from bot.simulation.telegram.server import BASE_URL, TOKEN, TelegramApi
from flows.engine.event import Button

AMINA = 77
SCREEN = MessageContent("How much?", ((Button("a-500", "500"), Button("a-1000", "1,000")),), turn=4)


@pytest.fixture
def api() -> TelegramApi:
    api = TelegramApi(VirtualClock())
    api.open_chat(AMINA)
    return api


@pytest.fixture
async def bot(api: TelegramApi) -> AsyncIterator[Bot]:
    async with open_bot(TOKEN, base_url=BASE_URL, transport=api.transport()) as bot:
        yield bot


@pytest.fixture
def channel(bot: Bot) -> TelegramChannel:
    return TelegramChannel(bot)


async def test_buttons_name_the_turn_they_were_drawn_on(api: TelegramApi, channel: TelegramChannel):
    message_id = await channel.send("77", SCREEN)
    (message,) = api.chat(AMINA).from_bot
    assert (str(message.message_id), message.text) == (message_id, "How much?")
    assert message.buttons == [[("500", "4:a-500"), ("1,000", "4:a-1000")]]
    assert not message.protect_content


async def test_a_receipt_is_protected(api: TelegramApi, channel: TelegramChannel):
    await channel.send("77", MessageContent("Received", protect=True))
    assert api.chat(AMINA).from_bot[0].protect_content


async def test_long_text_is_cut_and_markup_is_only_text(api: TelegramApi, channel: TelegramChannel):
    await channel.send("77", MessageContent("<b>" + "x" * 5000))
    text = api.chat(AMINA).from_bot[0].text
    assert (len(text), text[:4], text[-1]) == (4096, "<b>x", "…")


async def test_an_edit_replaces_text_and_buttons(api: TelegramApi, channel: TelegramChannel):
    message_id = await channel.send("77", SCREEN)
    await channel.edit("77", message_id, MessageContent("Paid"))
    (message,) = api.chat(AMINA).from_bot
    assert (message.text, message.buttons, message.edits) == ("Paid", [], ["How much?"])


async def test_an_edit_that_changes_nothing_is_success(channel: TelegramChannel):
    message_id = await channel.send("77", SCREEN)
    await channel.edit("77", message_id, SCREEN)


async def test_a_message_that_cannot_be_edited_is_gone(api: TelegramApi, channel: TelegramChannel):
    api.user_types(AMINA, "mine")
    with pytest.raises(MessageGone):
        await channel.edit("77", str(api.chat(AMINA).messages[-1].message_id), SCREEN)
    with pytest.raises(MessageGone):
        await channel.edit("77", "999", SCREEN)


async def test_deleting_twice_is_success(api: TelegramApi, channel: TelegramChannel):
    message_id = await channel.send("77", SCREEN)
    await channel.delete("77", message_id)
    await channel.delete("77", message_id)
    assert api.chat(AMINA).from_bot == []


async def test_a_tap_is_answered_once_and_late_answers_pass(
    api: TelegramApi, channel: TelegramChannel
):
    api.user_taps(AMINA, 1, "1:yes")
    (tap_id,) = api.unanswered
    await channel.answer_tap(tap_id, "x" * 300)
    await channel.answer_tap(tap_id, None)
    (answer,) = api.answers
    assert (answer.user_id, len(answer.text or "")) == (AMINA, 200)


@pytest.mark.parametrize(
    ("fault", "error"), [("403", Blocked), ("429:5", RetryAfter), ("timeout", Unclear)]
)
async def test_a_fault_leaves_no_message(
    api: TelegramApi, channel: TelegramChannel, fault: str, error: type[Exception]
):
    api.fail_next(fault)
    with pytest.raises(error):
        await channel.send("77", SCREEN)
    assert api.chat(AMINA).from_bot == []
    await channel.send("77", SCREEN)


async def test_flood_control_says_how_long(api: TelegramApi, channel: TelegramChannel):
    api.fail_next("429:5")
    with pytest.raises(RetryAfter) as raised:
        await channel.send("77", SCREEN)
    assert raised.value.seconds == 5.0


async def test_who_blocked_us_or_never_wrote_is_blocked(api: TelegramApi, channel: TelegramChannel):
    api.user_blocks(AMINA)
    for address in ("77", "78"):
        with pytest.raises(Blocked):
            await channel.send(address, SCREEN)


async def test_what_telegram_will_never_take_is_invalid(channel: TelegramChannel):
    for address, text in (("77", " "), ("terminal", "hi")):
        with pytest.raises(Undeliverable):
            await channel.send(address, MessageContent(text))


async def test_what_never_left_the_machine_may_be_tried_again():
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route", request=request)

    bot = open_bot(TOKEN, base_url=BASE_URL, transport=httpx.MockTransport(refuse))
    with pytest.raises(RetryAfter):
        await TelegramChannel(bot).send("77", SCREEN)


async def test_a_wrong_token_keeps_the_message_and_is_never_shown(api: TelegramApi):
    wrong = "123:a-wrong-token"
    bot = open_bot(wrong, base_url=BASE_URL, transport=api.transport())
    with pytest.raises(InvalidToken) as raised:
        await bot.initialize()
    shown = f"{raised.value!r} {raised.value.__context__!r} {bot!r} {bot}"
    assert "wrong-token" not in shown
    with pytest.raises(RetryAfter):
        await TelegramChannel(bot).send("77", SCREEN)


async def test_an_answer_that_is_not_json_is_unclear_and_not_logged(
    caplog: pytest.LogCaptureFixture,
):
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>hi Amina</html>"))
    bot = open_bot(TOKEN, base_url=BASE_URL, transport=transport)
    with caplog.at_level(logging.INFO), pytest.raises(Unclear):
        await TelegramChannel(bot).send("77", SCREEN)
    assert "Amina" not in caplog.text
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(
    ("result", "message_id"),
    [
        ('{"message_id": 5, "date": "soon", "chat": null, "entities": [{"type": 7}]}', "5"),
        ('{"message_id": "five"}', "0"),
        ("true", "0"),
        ("[]", "0"),
        (None, "0"),
    ],
)
async def test_a_message_that_was_taken_is_sent_whatever_else_the_answer_says(
    result: str | None, message_id: str
):
    """If an unreadable answer counted as a failure, the message would be sent again."""
    body = '{"ok": true}' if result is None else f'{{"ok": true, "result": {result}}}'
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=body))
    channel = TelegramChannel(open_bot(TOKEN, base_url=BASE_URL, transport=transport))
    assert await channel.send("77", SCREEN) == message_id
    assert await channel.send_document("77", "a.csv", b"a,b", MessageContent("file")) == message_id
    await channel.edit("77", "5", SCREEN)


async def test_a_call_waits_for_its_answer_as_long_as_it_is_told(api: TelegramApi):
    waits: list[float | None] = []

    class Watched(httpx.ASGITransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            waits.append(request.extensions["timeout"]["read"])
            return await super().handle_async_request(request)

    channel = TelegramChannel(open_bot(TOKEN, base_url=BASE_URL, transport=Watched(api.app)))
    message_id = await channel.send("77", MessageContent("one", timeout_s=120))
    await channel.edit("77", message_id, MessageContent("two", timeout_s=300))
    await channel.answer_tap("1", None)
    assert waits == [120, 300, 10]


@pytest.mark.parametrize(
    "why",
    [
        "chat not found",
        "USER_IS_BLOCKED",
        "INPUT_USER_DEACTIVATED",
        "have no rights to send a message",
        "CHAT_RESTRICTED",
        "PEER_ID_INVALID",
        "user not found",
    ],
)
async def test_a_chat_that_takes_nothing_is_shut_in_whatever_words(why: str):
    body = {"ok": False, "error_code": 400, "description": f"Bad Request: {why}"}
    transport = httpx.MockTransport(lambda _: httpx.Response(400, json=body))
    with pytest.raises(Blocked):
        await TelegramChannel(open_bot(TOKEN, base_url=BASE_URL, transport=transport)).send(
            "77", SCREEN
        )


async def test_every_field_that_is_sent_is_one_that_telegram_reads(
    api: TelegramApi, bot: Bot, channel: TelegramChannel
):
    message_id = await channel.send("77", SCREEN)
    await channel.edit("77", message_id, MessageContent("Paid", protect=True, silent=True))
    for name in ("kauli.pdf", "code.png"):
        await channel.send_document(
            "77", name, b"content", MessageContent("Statement", protect=True)
        )
    await channel.delete("77", message_id)
    await register_commands(bot, {"en": [("topup", "Add money")]})
    assert api.ignored == set()


async def test_menus_are_set_by_language_and_for_one_chat_until_taken_away(
    api: TelegramApi, bot: Bot
):
    menus = {"en": [("topup", "Add money")], "sw": [("topup", "Ongeza pesa")]}
    own = [("partners", "All partners")]
    await register_commands(bot, menus)
    await show_commands(bot, "77", own)
    assert api.commands == {
        ("all_private_chats", None, ""): menus["en"],
        ("all_private_chats", None, "en"): menus["en"],
        ("all_private_chats", None, "sw"): menus["sw"],
        ("chat", AMINA, ""): own,
    }
    await show_commands(bot, "77", [])
    assert {scope for scope, _, _ in api.commands} == {"all_private_chats"}


async def test_an_edit_of_a_picture_is_of_a_message_that_is_gone(
    api: TelegramApi, channel: TelegramChannel
):
    picture = await channel.send_document("77", "code.png", b"content", MessageContent("Scan it"))
    with pytest.raises(MessageGone):
        await channel.edit("77", picture, SCREEN)


async def test_a_link_has_no_preview(api: TelegramApi, channel: TelegramChannel) -> None:
    await channel.send("77", MessageContent("https://desk.example/dashboard/login/abc"))
    await channel.send("77", MessageContent("No link here."))
    with_link, without = api.chat(AMINA).from_bot
    assert with_link.link_preview == {"is_disabled": True}
    assert without.link_preview is None
