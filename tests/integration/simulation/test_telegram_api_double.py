"""The simulated Bot API answers as Telegram does, especially when it refuses."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from telegram import Bot

from bot.channels.telegram.client import open_bot
from bot.simulation.clock import VirtualClock
from bot.simulation.telegram.server import BASE_URL, TOKEN, TelegramApi, Upload
from tests.kit.telegram_caller import AMINA, Caller, calling

GROUP = -1001
STRANGER = 78
DOCUMENT = {"document": ("kauli.pdf", b"%PDF\r\n--x", "application/pdf")}


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
    async with calling(api) as caller:
        yield caller


@pytest.fixture
async def bot(api: TelegramApi) -> AsyncIterator[Bot]:
    async with open_bot(TOKEN, base_url=BASE_URL, transport=api.transport()) as bot:
        yield bot


async def test_ptb_recognises_the_bot(bot: Bot):
    assert bot.username == "hazina_bot"


async def test_wrong_tokens_and_unknown_methods_are_refused(call: Caller):
    assert (await call("getMe", token="1:other"))["description"] == "Unauthorized"
    assert (await call("getMe", token="nonsense"))["error_code"] == 404
    assert (await call("getMee"))["description"] == "Not Found: method not found"


async def test_a_method_is_named_in_any_case_and_called_in_any_form(api: TelegramApi, call: Caller):
    fields = {"chat_id": str(AMINA), "text": "hi", "protect_content": "True"}
    for method in ("sendMessage", "SENDMESSAGE", "sendmessage"):
        sent = await call.post(method, data=fields)
        assert sent["result"]["has_protected_content"]
    assert (await call.post("sendMessage", params=fields))["ok"]
    assert len(api.chat(AMINA).from_bot) == 4


async def test_a_call_that_breaks_off_does_nothing(api: TelegramApi):
    """As when the desk is killed while it sends."""
    scope = {"type": "http", "method": "POST", "path": f"/bot{TOKEN}/sendMessage", "headers": []}
    parts = [
        {"type": "http.request", "body": b"chat_id=77&text=", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return parts.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await api.app(scope | {"query_string": b""}, receive, send)
    assert sent[0]["status"] >= 400
    assert api.chat(AMINA).from_bot == []


async def test_unknown_fields_pass_in_silence_and_are_noted(api: TelegramApi, call: Caller):
    await call.sent(text="hi", txt="hi")
    assert api.ignored == {("sendMessage", "txt")}


async def test_a_chat_nobody_opened_is_told_from_one_that_was_shut(api: TelegramApi, call: Caller):
    for chat_id in (STRANGER, "@somebody", "nonsense", "²", GROUP, "9" * 30):
        why = await call.refused("sendMessage", chat_id=chat_id, text="hi")
        assert why == "Bad Request: chat not found"
    assert await call.refused("sendMessage", text="hi") == "Bad Request: chat_id is empty"
    api.group_message(GROUP, STRANGER, "hello")
    why = await call.refused("sendMessage", chat_id=STRANGER, text="hi")
    assert why == "Forbidden: bot can't initiate conversation with a user"
    api.user_types(STRANGER, "/start")
    assert (await call("sendMessage", chat_id=STRANGER, text="hi"))["ok"]
    api.user_blocks(STRANGER)
    why = await call.refused("sendMessage", chat_id=STRANGER, text="hi")
    assert why == "Forbidden: bot was blocked by the user"


async def test_messages_are_found_or_not(api: TelegramApi, call: Caller):
    sent = await call.sent(text="one")
    where = {"chat_id": AMINA, "message_id": sent["message_id"]}
    assert (await call.done("editMessageText", **where, text="two"))["text"] == "two"
    await call("deleteMessage", **where)
    edit, delete = [
        await call.refused(method, **where, text="three")
        for method in ("editMessageText", "deleteMessage")
    ]
    assert edit == "Bad Request: message to edit not found"
    assert delete == "Bad Request: message to delete not found"
    why = await call.refused("editMessageText", text="three")
    assert why == "Bad Request: message identifier is not specified"
    assert api.chat(AMINA).messages[0].edits == ["one"]


async def test_messages_older_than_two_days_stay(
    api: TelegramApi, call: Caller, clock: VirtualClock
):
    api.user_types(AMINA, "1234")
    where = {"chat_id": AMINA, "message_id": api.chat(AMINA).messages[0].message_id}
    clock.jump(clock.now() + timedelta(hours=49))
    assert "can't be deleted" in await call.refused("deleteMessage", **where)


async def test_flood_control_carries_its_seconds(api: TelegramApi, call: Caller):
    api.fail_next("429:5", times=2)
    for _ in range(2):
        answer = await call.client.post(
            f"http://t/bot{TOKEN}/sendMessage", json={"chat_id": AMINA, "text": "hi"}
        )
        assert answer.json()["parameters"] == {"retry_after": 5}
        assert answer.headers["retry-after"] == "5"
    assert (await call("sendMessage", chat_id=AMINA, text="hi"))["ok"]


async def test_unknown_faults_cannot_be_armed(api: TelegramApi):
    with pytest.raises(ValueError, match="no such fault"):
        api.fail_next("429")


@pytest.mark.parametrize(
    ("button", "why"),
    [
        ({"text": "", "callback_data": "1:a"}, "inline keyboard button text must be non-empty"),
        (
            {"text": "a"},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        (
            {"text": "a", "callback_data": ""},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        ({"text": "a", "callback_data": "é" * 33}, "BUTTON_DATA_INVALID"),
        (
            {"text": "a", "url": "no link"},
            "inline keyboard button URL 'no link' is invalid: Wrong HTTP URL",
        ),
        ("a", "can't parse inline keyboard button: InlineKeyboardButton must be an Object"),
    ],
)
async def test_buttons_telegram_would_refuse_are_refused(call: Caller, button: object, why: str):
    markup = {"inline_keyboard": [[button]]}
    refused = await call.refused("sendMessage", chat_id=AMINA, text="?", reply_markup=markup)
    assert refused == f"Bad Request: {why}"


@pytest.mark.parametrize(
    ("markup", "why"),
    [
        ("no json", "can't parse reply keyboard markup JSON object"),
        ([1], "object expected as reply markup"),
        ({"keyboard": [[{"text": ""}]]}, "keyboard button text must be non-empty"),
        ({"keyboard": [[1]]}, "can't parse keyboard button: KeyboardButton must be an Object"),
        (
            {"inline_keyboard": [[{"text": "a", "callback_data": "1"}] * 101]},
            "REPLY_MARKUP_TOO_LONG",
        ),
    ],
)
async def test_keyboards_telegram_would_refuse_are_refused(call: Caller, markup: object, why: str):
    refused = await call.refused("sendMessage", chat_id=AMINA, text="?", reply_markup=markup)
    assert refused == f"Bad Request: {why}"


async def test_a_keyboard_can_ask_for_the_contact_in_private_only(api: TelegramApi, call: Caller):
    keyboard = {"keyboard": [[{"text": "Share my number", "request_contact": True}, "No"]]}
    for markup in (keyboard, json.dumps(keyboard)):
        await call.sent(text="?", reply_markup=markup)
        assert api.chat(AMINA).from_bot[-1].reply_keyboard == [["Share my number", "No"]]
    api.group_message(GROUP, AMINA, "hello")
    why = await call.refused("sendMessage", chat_id=GROUP, text="?", reply_markup=keyboard)
    assert why == "Bad Request: phone number can be requested in private chats only"


async def test_a_result_tells_the_keyboard_below_the_message(api: TelegramApi, call: Caller):
    keyboard = {
        "inline_keyboard": [
            [{"text": "Go", "url": "https://hazina.example"}],
            [{"text": "Copy", "copy_text": {"text": "880100"}}],
        ]
    }
    sent = await call.sent(text="?", reply_markup=keyboard, protect_content=True)
    assert (sent["reply_markup"], sent["has_protected_content"]) == (keyboard, True)
    assert sent["chat"] == {"id": AMINA, "first_name": "User 77", "type": "private"}
    sent = await call.sent(text="?", reply_markup={"force_reply": True})
    assert "reply_markup" not in sent
    assert api.chat(AMINA).from_bot[-1].asks_reply
    where = {"chat_id": AMINA, "message_id": sent["message_id"] - 1}
    why = await call.refused(
        "editMessageText", **where, text="!", reply_markup={"force_reply": True}
    )
    assert why == "Bad Request: inline keyboard expected"


async def test_a_reply_tells_what_it_answers(api: TelegramApi, call: Caller):
    api.user_types(AMINA, "how much?")
    question = api.chat(AMINA).messages[-1].message_id
    for asked in (
        {"reply_parameters": {"message_id": question}},
        {"reply_to_message_id": question},
    ):
        sent = await call.sent(text="500", **asked)
        assert sent["reply_to_message"]["text"] == "how much?"
    quoted = await call.sent(text="5", reply_parameters={"message_id": question, "quote": "much"})
    assert (quoted["quote"]["text"], quoted["quote"]["position"]) == ("much", 4)
    for parameters, why in (
        ({"message_id": 999}, "message to be replied not found"),
        ({"message_id": question, "quote": "little"}, "QUOTE_TEXT_INVALID"),
        ([1], "can't parse reply parameters: Object expected as reply parameters"),
    ):
        refused = await call.refused(
            "sendMessage", chat_id=AMINA, text="5", reply_parameters=parameters
        )
        assert refused == f"Bad Request: {why}"
    lenient = {"message_id": 999, "allow_sending_without_reply": True}
    assert "reply_to_message" not in await call.sent(text="5", reply_parameters=lenient)
    api.user_types(AMINA, "thanks", reply_to=sent["message_id"])
    told = (await call.done("getUpdates"))[-1]["message"]["reply_to_message"]
    assert (told["text"], "reply_to_message" in told) == ("500", False)


async def test_files_arrive_whole_and_can_be_loaded_back(api: TelegramApi, call: Caller, bot: Bot):
    await bot.send_document(AMINA, b"%PDF\r\n--x", filename="kauli.pdf", caption="Statement")
    await bot.send_photo(AMINA, b"\x89PNG")
    document, photo = api.chat(AMINA).from_bot
    assert document.text == "Statement"
    assert document.file == Upload("kauli.pdf", "application/pdf", b"%PDF\r\n--x")
    assert document.stored is not None
    told = await call.done("getFile", file_id=document.stored.file_id)
    assert told["file_size"] == 9
    loaded = await call.client.get(f"http://t/file/bot{TOKEN}/{told['file_path']}")
    assert loaded.content == b"%PDF\r\n--x"
    assert photo.file is not None


async def test_a_file_is_attached_or_named_by_its_id(call: Caller):
    fields = {"chat_id": AMINA, "document": "attach://report"}
    attached = await call.post("sendDocument", data=fields, files={"report": DOCUMENT["document"]})
    document = attached["result"]["document"]
    assert (document["file_name"], document["mime_type"]) == ("kauli.pdf", "application/pdf")
    again = await call.done("sendDocument", chat_id=AMINA, document=document["file_id"])
    assert again["document"] == document
    for method, field, file_id, why in (
        ("sendDocument", "document", "", "there is no document in the request"),
        ("sendDocument", "document", "attach://other", "there is no document in the request"),
        ("sendDocument", "document", "https://t.example/a", "failed to get HTTP URL content"),
        ("sendPhoto", "photo", "nonsense", "wrong remote file identifier specified: "),
        ("sendPhoto", "photo", document["file_id"], "can't use file of type Document as Photo"),
        ("getFile", "file_id", "nonsense", "invalid file_id"),
    ):
        refused = await call.refused(method, chat_id=AMINA, **{field: file_id})
        assert refused.startswith(f"Bad Request: {why}")
    empty = await call.post("sendDocument", data={"chat_id": AMINA}, files={"document": b""})
    assert empty["description"] == "Bad Request: file must be non-empty"


@pytest.mark.parametrize("path", ["documents/file_1.pdf", "../secret", ""])
async def test_a_path_that_leads_to_no_file_is_not_found(call: Caller, path: str):
    answer = await call.client.get(f"http://t/file/bot{TOKEN}/{path}")
    assert answer.status_code == 404


async def test_a_file_is_not_given_to_whoever_has_no_token(call: Caller):
    sent = await call.post("sendDocument", data={"chat_id": AMINA}, files=DOCUMENT)
    told = await call.done("getFile", file_id=sent["result"]["document"]["file_id"])
    answer = await call.client.get(f"http://t/file/bot1:other/{told['file_path']}")
    assert answer.status_code == 401


async def test_people_do_all_that_the_bot_reads(api: TelegramApi, bot: Bot):
    api.user_types(AMINA, "/topup 500")
    api.user_edits(AMINA, "600")
    api.user_sends_sticker(AMINA)
    api.user_sends_photo(AMINA)
    api.user_sends_document(AMINA, Upload("id.pdf", "application/pdf", b"%PDF"))
    api.user_shares_contact(AMINA, "254712345678")
    api.user_shares_contact(AMINA, "254712345679", owner_id=78, forwarded=True)
    api.group_message(GROUP, AMINA, "/balance")
    updates = await bot.get_updates()
    assert [update.update_id for update in updates] == api.unacknowledged
    kinds = [
        next(kind for kind in ("edited_message", "message") if update[kind]) for update in updates
    ]
    assert kinds == ["message", "edited_message"] + ["message"] * 6


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"commands": [{"command": "Top up", "description": "x"}]}, "BOT_COMMAND_INVALID"),
        ({"commands": [{"command": "a", "description": ""}]}, "BOT_COMMAND_DESCRIPTION_INVALID"),
        ({"commands": [{"command": "a", "description": "x"}] * 101}, "BOT_COMMANDS_TOO_MUCH"),
        ({"commands": [], "scope": {"type": "chat", "chat_id": 999}}, "chat not found"),
        ({"commands": [], "scope": {"type": "x"}}, "can't parse BotCommandScope"),
    ],
)
async def test_menus_telegram_would_refuse_are_refused(
    call: Caller, fields: dict[str, Any], why: str
):
    assert (await call.refused("setMyCommands", **fields)).startswith(f"Bad Request: {why}")


async def test_menus_are_told_as_they_were_set(call: Caller):
    menu = [{"command": "topup", "description": "Add money"}]
    scope = {"type": "chat", "chat_id": AMINA}
    await call.done("setMyCommands", commands=menu, scope=scope)
    assert await call.done("getMyCommands", scope=scope) == menu
    await call.done("deleteMyCommands", scope=scope)
    assert await call.done("getMyCommands", scope=scope) == []


async def test_actions_are_those_there_are(call: Caller):
    await call.done("sendChatAction", chat_id=AMINA, action="typing")
    why = await call.refused("sendChatAction", chat_id=AMINA, action="dancing")
    assert why == "Bad Request: wrong parameter action in request"
