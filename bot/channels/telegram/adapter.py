"""Connects Telegram to the program: updates become turns, taps are answered after the commit."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog
from starlette.routing import BaseRoute
from telegram import Bot
from telegram.error import TelegramError

from bot.app import App
from bot.channels.telegram.connect import connect, retry_until_answered
from bot.channels.telegram.groups import GroupLimiter
from bot.channels.telegram.menus import show_commands
from bot.channels.telegram.polling import Poller
from bot.channels.telegram.sender import TelegramChannel
from bot.channels.telegram.webhook import register_webhook, webhook_app
from bot.channels.telegram.wire import (
    GroupMessage,
    IgnoredUpdate,
    InboundUpdate,
    Membership,
    SentFile,
)
from bot.outbox.channel import ChannelError, Commands, MessageContent
from bot.settings import Settings, TelegramIntake
from bot.turns.turn import IGNORED
from flows.engine.event import FILE_BYTES_MAX, FILE_NOT_FETCHED, FILE_TOO_LARGE, Event
from services.ports import Clock

LOOK_EVERY_S = 0.5  # at who leads

_log = structlog.get_logger(__name__)

FOR_ALL = ("menu", "help")  # what strangers see; everybody else has their own menu
COURTESIES_MAX = 200  # concurrent best-effort calls; further ones are dropped


class TelegramAdapter:
    """Handles inbound updates. ``handle`` returns when the update may be acknowledged."""

    def __init__(self, app: App, bot: Bot) -> None:
        self._app = app
        self._bot = bot
        self._channel = TelegramChannel(bot)
        self._groups = GroupLimiter(app.metrics.monotonic)
        self._answering: set[asyncio.Task[None]] = set()

    async def handle(self, inbound: InboundUpdate) -> None:
        match inbound:
            case Event():
                await self._decide(inbound)
            case SentFile():
                await self._decide(await self._with_content(inbound))
            case Membership(_, blocked, _):
                _log.info("a chat was shut" if blocked else "a chat was opened again")
            case GroupMessage(chat_id, _, resembles_code):
                self._in_group(chat_id, resembles_code)
            case IgnoredUpdate():
                pass

    async def _decide(self, event: Event) -> None:
        decided = await self._app.handle(event)
        if decided.exit == IGNORED:
            return
        if event.tap_id is not None:
            self._in_background(self._channel.answer_tap(event.tap_id, decided.alert))
        if decided.commands is not None:
            self._in_background(show_commands(self._bot, event.address, decided.commands))

    async def _with_content(self, sent: SentFile) -> Event:
        """Fetch the file before its turn; nothing of strangers', nor of what is too large."""
        event = sent.event
        if sent.size > FILE_BYTES_MAX:
            return event._replace(option=FILE_TOO_LARGE)
        if not await self._app.is_linked(event.channel, event.address):
            return event._replace(option=FILE_NOT_FETCHED)
        try:
            file = await self._bot.get_file(sent.file_id)
            if (file.file_size or 0) > FILE_BYTES_MAX:
                return event._replace(option=FILE_TOO_LARGE)
            content = bytes(await file.download_as_bytearray())
        except TelegramError as error:
            _log.warning("a file was not fetched", why=type(error).__name__)
            return event._replace(option=FILE_NOT_FETCHED)
        if len(content) > FILE_BYTES_MAX:
            return event._replace(option=FILE_TOO_LARGE)
        return event._replace(content=content)

    async def close(self) -> None:
        await asyncio.gather(*self._answering, return_exceptions=True)

    def abort(self) -> None:
        """Stop without waiting, like a kill."""
        for task in self._answering:
            task.cancel()

    def _in_group(self, chat_id: int, resembles_code: bool) -> None:
        if not self._groups.allow(chat_id):
            self._app.metrics.record_stranger("group_silent")
            return
        self._app.metrics.record_stranger("group")
        if resembles_code:
            _log.warning("what looks like a code was typed in a group", chat=chat_id)
        link = f"https://t.me/{self._bot.username}"
        text = self._app.engine.texts.say("en", "engine.group", {"link": link})
        self._in_background(self._send(str(chat_id), text))

    async def _send(self, address: str, text: str) -> None:
        await self._channel.send(address, MessageContent(text))

    def _in_background(self, call: Coroutine[Any, Any, None]) -> None:
        """Make a best-effort call in the background, without retries."""
        if len(self._answering) >= COURTESIES_MAX:
            call.close()
            return

        async def run() -> None:
            try:
                await call
            except ChannelError as error:
                _log.info("telegram courtesy not delivered", why=str(error))

        task = asyncio.create_task(run())
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)


def default_menus(app: App) -> dict[str, Commands]:
    """The menu of chats without their own, by language."""
    texts = app.engine.texts
    return {
        language: [(name, texts.say(language, f"command.{name}")) for name in FOR_ALL]
        for language in texts.languages
    }


def webhook_routes(adapter: TelegramAdapter, settings: Settings) -> list[BaseRoute]:
    """The route for Telegram's webhook; none if updates are polled."""
    if settings.telegram_intake is not TelegramIntake.WEBHOOK:
        return []
    assert settings.telegram_webhook_secret is not None
    return webhook_app(adapter.handle, settings.telegram_webhook_secret.get_secret_value()).routes


async def serve_telegram(
    app: App,
    adapter: TelegramAdapter,
    bot: Bot,
    settings: Settings,
    clock: Clock,
    stop: asyncio.Event,
) -> None:
    """Receive updates until ``stop``, then finish those in progress.

    The HTTP server serves the webhook's routes meanwhile.
    Raises ``bot.channels.telegram.identity.BotMisconfigured``.
    """
    if not await connect(bot, default_menus(app), stop):
        return
    app.bot_identity.bot_name = bot.username
    _log.info("serving", bot=bot.username, intake=settings.telegram_intake.value)
    if settings.telegram_intake is TelegramIntake.WEBHOOK:
        assert settings.telegram_webhook_secret is not None
        assert settings.telegram_webhook_url is not None
        secret = settings.telegram_webhook_secret.get_secret_value()
        url = settings.telegram_webhook_url
        await retry_until_answered(lambda: register_webhook(bot, url, secret), stop)
        await stop.wait()
    else:
        await _by_polling(app, adapter, bot, clock, settings.telegram_poll_s, stop)
    await adapter.close()


async def _by_polling(
    app: App, adapter: TelegramAdapter, bot: Bot, clock: Clock, poll_s: int, stop: asyncio.Event
) -> None:
    """Only while no other process leads: Telegram answers one poller, and refuses a second."""
    while not stop.is_set():
        if app.database.follows:
            await _first(asyncio.create_task(asyncio.sleep(LOOK_EVERY_S)), stop)
            continue
        poller = Poller(bot, adapter.handle, clock, poll_s=poll_s)
        polling = asyncio.create_task(poller.run())
        following = asyncio.create_task(_until_led(app))
        await _first(polling, stop, following)
        following.cancel()
        await poller.stop()
        await polling


async def _until_led(app: App) -> None:
    """Return when another process leads."""
    while not app.database.follows:  # noqa: ASYNC110 - it ends by time passing
        await asyncio.sleep(LOOK_EVERY_S)


async def _first(
    task: asyncio.Task[None], stop: asyncio.Event, *others: asyncio.Task[None]
) -> None:
    """Wait for ``stop``, one of the others, or for the task to end by itself, which it should
    not."""
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((task, stopping, *others), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
