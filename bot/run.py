"""``hazina run``: the program for real, until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack

import structlog
from telegram import Bot
from telegram.error import InvalidToken, TelegramError

from bot.channel import ChannelError
from bot.settings import Intake, Settings
from bot.telegram.client import open_bot
from bot.telegram.edge import menu_of, polling, webhook
from bot.telegram.menus import register_commands
from bot.telegram.sender import TelegramChannel
from bot.wiring import MONEY_CALL_S, App, Outside, open_app

_log = structlog.get_logger(__name__)

CONNECT_AGAIN_S = (1, 2, 5, 10, 30)  # then every 30 s: top-ups are settled meanwhile


async def serve(settings: Settings) -> None:
    """Run until SIGINT or SIGTERM.

    Raises ``telegram.error.InvalidToken`` where Telegram does not know the token, and what
    ``open_app`` raises.
    """
    assert settings.telegram_bot_token is not None
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop.set)
    async with AsyncExitStack() as stack:
        bot = open_bot(
            settings.telegram_bot_token.get_secret_value(), base_url=settings.telegram_base_url
        )
        outside = Outside(channels={"telegram": TelegramChannel(bot)})
        app = await open_app(settings, outside, stack)
        await app.start()
        try:
            serving = asyncio.create_task(_serve_telegram(settings, app, bot, stop))
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait((serving, stopped), return_when=asyncio.FIRST_COMPLETED)
            stop.set()
            stopped.cancel()
            await serving
        finally:
            _log.info("stopping")
            await app.stop(MONEY_CALL_S)
            await bot.shutdown()


async def _serve_telegram(settings: Settings, app: App, bot: Bot, stop: asyncio.Event) -> None:
    if not await _connect(bot, stop):
        return
    try:
        await register_commands(bot, menu_of(app))
    except ChannelError as error:
        _log.warning("command menu not set", why=str(error))
    _log.info("serving", bot=bot.username, intake=settings.telegram_intake.value)
    if settings.telegram_intake is Intake.WEBHOOK:
        async with webhook(app, bot, settings):
            await stop.wait()
    else:
        clock = Outside().clock
        async with polling(app, bot, clock, settings.telegram_poll_s):
            await stop.wait()


async def _connect(bot: Bot, stop: asyncio.Event) -> bool:
    """Until Telegram answers; ``False`` when we are told to stop first."""
    tries = 0
    while not stop.is_set():
        try:
            await bot.initialize()
        except InvalidToken:
            raise
        except TelegramError as error:
            pause = CONNECT_AGAIN_S[min(tries, len(CONNECT_AGAIN_S) - 1)]
            tries += 1
            _log.warning("telegram cannot be reached", why=type(error).__name__, again_in_s=pause)
            try:
                async with asyncio.timeout(pause):
                    await stop.wait()
            except TimeoutError:
                continue
        else:
            return True
    return False
