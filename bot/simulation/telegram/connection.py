"""The product's side of the simulated Telegram: a bot, its channel, and long polling."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from bot.app import App
from bot.channels.telegram.adapter import TelegramAdapter
from bot.channels.telegram.client import open_bot
from bot.channels.telegram.polling import Poller
from bot.channels.telegram.sender import TelegramChannel
from bot.simulation.clock import VirtualClock
from bot.simulation.telegram.api_objects import BOT_NAME
from bot.simulation.telegram.server import BASE_URL, TOKEN, TelegramApi

POLL_S = 86_400  # an empty long poll would only wake the clock


class TelegramConnection:
    """Lasts for one run of the product."""

    def __init__(self, api: TelegramApi, clock: VirtualClock) -> None:
        self._bot = open_bot(TOKEN, base_url=BASE_URL, transport=api.transport())
        self._clock = clock
        self._adapter: TelegramAdapter | None = None
        self._poller: Poller | None = None
        self._polling: asyncio.Task[None] | None = None

    async def open(self, stack: AsyncExitStack) -> TelegramChannel:
        await stack.enter_async_context(self._bot)
        return TelegramChannel(self._bot)

    def start(self, app: App) -> None:
        app.bot_identity.bot_name = BOT_NAME
        self._adapter = TelegramAdapter(app, self._bot)
        self._poller = Poller(self._bot, self._adapter.handle, self._clock, poll_s=POLL_S)
        self._polling = asyncio.create_task(self._poller.run())

    async def stop(self) -> None:
        if self._polling is None:
            return
        assert self._poller is not None
        assert self._adapter is not None
        await self._poller.stop()
        await self._polling
        await self._adapter.close()
        self._polling = None

    def abort(self) -> list[asyncio.Task[None]]:
        """Drop everything at once; returns the cancelled tasks."""
        polling = [] if self._polling is None else [self._polling]
        for task in polling:
            task.cancel()
        if self._adapter is not None:
            self._adapter.abort()
        self._polling = None
        return polling
