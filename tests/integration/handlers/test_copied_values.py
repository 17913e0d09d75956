"""Values to type into M-PESA: one tap copies them where the channel can; markup never shows."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.channels.telegram.client import open_bot
from bot.channels.telegram.sender import TelegramChannel
from bot.channels.terminal import TerminalChannel
from bot.outbox.channel import COPY, COPY_END, MessageContent
from bot.simulation.clock import VirtualClock
from bot.simulation.telegram.server import BASE_URL, TOKEN, TelegramApi

AMINA = 500_001


def marked(text: str) -> str:
    return f"{COPY}{text}{COPY_END}"


@pytest.fixture
def api() -> TelegramApi:
    api = TelegramApi(VirtualClock())
    api.open_chat(AMINA)
    return api


@pytest.fixture
async def telegram(api: TelegramApi) -> AsyncIterator[TelegramChannel]:
    async with open_bot(TOKEN, base_url=BASE_URL, transport=api.transport()) as bot:
        yield TelegramChannel(bot)


@pytest.mark.parametrize(
    ("text", "shown", "copied"),
    [
        (f"Pay to {marked('880100')}, please", "Pay to 880100, please", ["880100"]),
        (f"😀 {marked('A😀B')} {marked('774451#TU')}", "😀 A😀B 774451#TU", ["A😀B", "774451#TU"]),
        (f"{COPY}never closed", "never closed", []),
        (f"{marked('')}nothing", "nothing", []),
        ("plain", "plain", []),
    ],
)
async def test_a_tap_copies_what_is_marked(
    api: TelegramApi, telegram: TelegramChannel, text: str, shown: str, copied: list[str]
) -> None:
    message_id = await telegram.send(str(AMINA), MessageContent(text))
    message = api.chat(AMINA).find(int(message_id))
    assert message is not None
    assert (message.text, message.copied) == (shown, copied)
    await telegram.edit(str(AMINA), message_id, MessageContent(f"{text}!"))
    assert (message.text, message.copied) == (f"{shown}!", copied)


async def test_a_terminal_shows_no_marks() -> None:
    terminal = TerminalChannel()
    message_id = await terminal.send("1", MessageContent(f"Pay to {marked('880100')}"))
    assert terminal.messages[message_id].content.text == "Pay to 880100"


async def test_a_picture_is_seen_at_once(api: TelegramApi, telegram: TelegramChannel) -> None:
    caption = MessageContent(f"Scan {marked('this')}")
    message_id = await telegram.send_document(str(AMINA), "TU-222222.png", b"\x89PNG", caption)
    message = api.chat(AMINA).find(int(message_id))
    assert message is not None
    assert message.text == "Scan this"
