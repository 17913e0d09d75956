"""Groups and best-effort answers: Telegram updates that do not become turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import cast

import pytest
from structlog.testing import capture_logs
from telegram import Bot

from bot.app import App
from bot.channels.telegram.adapter import COURTESIES_MAX, TelegramAdapter
from bot.channels.telegram.client import open_bot
from bot.channels.telegram.wire import GroupMessage, IgnoredUpdate
from bot.observe.metrics import Metrics
from bot.simulation.clock import VirtualClock
from bot.simulation.telegram.server import BASE_URL, TOKEN, TelegramApi
from bot.turns.turn import IGNORED, Decided
from flows.engine.event import Event, EventKind
from flows.engine.texts import Texts

SHOP = -1001


class AdapterOnTelegram:
    """An adapter on its own simulated Telegram; the program behind it sends no messages."""

    def __init__(self, api: TelegramApi, bot: Bot, clock: VirtualClock) -> None:
        self.api = api
        self.decided = Decided(alert="moved on")
        self.metrics = Metrics(clock.monotonic)
        app = SimpleNamespace(
            metrics=self.metrics, engine=SimpleNamespace(texts=Texts.load()), handle=self._handle
        )
        self.edge = TelegramAdapter(cast("App", app), bot)

    async def _handle(self, event: Event) -> Decided:
        return self.decided

    def counted(self, what: str) -> float | None:
        return self.metrics.registry.get_sample_value("hazina_strangers_total", {"what": what})


@pytest.fixture
async def on_telegram() -> AsyncIterator[AdapterOnTelegram]:
    clock = VirtualClock()
    api = TelegramApi(clock)
    async with open_bot(TOKEN, base_url=BASE_URL, transport=api.transport()) as bot:
        yield AdapterOnTelegram(api, bot, clock)


async def test_a_group_is_answered_once_and_leaves_one_line_whatever_is_said_in_it(
    on_telegram: AdapterOnTelegram,
) -> None:
    on_telegram.api.group_message(SHOP, 77, "123456")
    with capture_logs() as logs:
        for number in range(200):
            await on_telegram.edge.handle(GroupMessage(SHOP, number, resembles_code=True))
        await on_telegram.edge.handle(IgnoredUpdate(str(SHOP), 300))
        await on_telegram.edge.close()
    assert len(on_telegram.api.chat(SHOP).from_bot) == 1
    assert [line["event"] for line in logs] == ["what looks like a code was typed in a group"]
    assert (on_telegram.counted("group"), on_telegram.counted("group_silent")) == (1, 199)


async def test_a_stranger_who_is_not_heard_costs_no_call(on_telegram: AdapterOnTelegram) -> None:
    on_telegram.decided = Decided(exit=IGNORED)
    await on_telegram.edge.handle(Event("telegram", "77", "1", EventKind.TAP, tap_id="t1"))
    await on_telegram.edge.close()
    assert on_telegram.api.answers == []


async def test_courtesies_do_not_pile_up(on_telegram: AdapterOnTelegram) -> None:
    before = len(asyncio.all_tasks())
    for number in range(COURTESIES_MAX + 50):
        tap = Event("telegram", "77", str(number), EventKind.TAP, tap_id=f"t{number}")
        await on_telegram.edge.handle(tap)
    assert len(asyncio.all_tasks()) - before <= COURTESIES_MAX
    await on_telegram.edge.close()
