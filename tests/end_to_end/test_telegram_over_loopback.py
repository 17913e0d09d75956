"""python-telegram-bot and the simulated Bot API over real sockets."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn

from bot.channels.telegram.client import open_bot
from bot.channels.telegram.polling import Poller
from bot.channels.telegram.sender import TelegramChannel
from bot.channels.telegram.wire import InboundUpdate
from bot.clock import SystemClock
from bot.outbox.channel import ChannelError, MessageContent, Unclear
from bot.simulation.telegram.server import TOKEN, TelegramApi
from flows.engine.event import Button, Event, EventKind
from tests.kit.real_time import until

AMINA = 77


@pytest.fixture
def api() -> TelegramApi:
    return TelegramApi(SystemClock())


@pytest.fixture
async def base_url(api: TelegramApi) -> AsyncIterator[str]:
    config = uvicorn.Config(
        api.app, host="127.0.0.1", port=0, lifespan="off", ws="none", log_level="warning"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/bot"
    api.close()
    server.should_exit = True
    await serving


@pytest.fixture
async def channel(base_url: str) -> AsyncIterator[TelegramChannel]:
    """A channel with an echo: it sends text back with one button, and answers taps."""
    async with open_bot(TOKEN, base_url=base_url) as bot:
        channel = TelegramChannel(bot)

        async def echo(inbound: InboundUpdate) -> None:
            assert isinstance(inbound, Event)
            if inbound.kind is EventKind.TAP:
                await channel.answer_tap(inbound.tap_id or "", inbound.option)
            else:
                again = ((Button("again", "Again"),),)
                await channel.send(inbound.address, MessageContent(inbound.text, again, turn=1))

        poller = Poller(bot, echo, SystemClock())
        polling = asyncio.create_task(poller.run())
        yield channel
        await poller.stop()
        await polling


async def test_what_people_say_comes_back_and_taps_are_answered(
    api: TelegramApi, channel: TelegramChannel
):
    chat = api.open_chat(AMINA)
    api.user_types(AMINA, "habari & “karibu”")
    await until(lambda: len(chat.from_bot) == 1 and not api.unacknowledged)
    (message,) = chat.from_bot
    assert message.text == "habari & “karibu”"
    api.user_taps(AMINA, message.message_id, message.data_of("Again"))
    await until(lambda: len(api.answers) == 1 and not api.unacknowledged)
    assert api.answers[0].text == "again"


async def test_a_lost_answer_is_unclear(api: TelegramApi, channel: TelegramChannel):
    api.open_chat(AMINA)
    api.fail_next("timeout")
    with pytest.raises(ChannelError) as raised:
        await channel.send("77", MessageContent("hi"))
    assert isinstance(raised.value, Unclear)
    assert api.chat(AMINA).from_bot == []
