"""Connects to Telegram, retrying until it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
from telegram import Bot
from telegram.error import RetryAfter, TelegramError

from bot.channels.telegram.client import open_bot
from bot.channels.telegram.errors import seconds
from bot.channels.telegram.identity import TelegramUnreachable, verify_bot
from bot.channels.telegram.menus import register_commands
from bot.environment.network import Network
from bot.outbox.channel import ChannelError, Commands

_log = structlog.get_logger(__name__)

AGAIN_S = (1, 2, 5, 10, 30)  # real seconds before each retry, then every 30; workers run meanwhile


async def ask_name(token: str, base_url: str, network: Network) -> str:
    """The bot's user name. Raises ``BotMisconfigured`` and ``TelegramUnreachable``."""
    bot = open_bot(token, base_url=base_url, network=network)
    try:
        await _initialize(bot)
    finally:
        await bot.shutdown()
    return bot.username


async def connect(bot: Bot, menus: dict[str, Commands], stop: asyncio.Event) -> bool:
    """Retry until Telegram answers. ``False`` if stopped first. Raises ``BotMisconfigured``."""
    if not await retry_until_answered(lambda: _initialize(bot), stop):
        return False
    await _try_register_menus(bot, menus)
    return True


async def retry_until_answered(call: Callable[[], Awaitable[None]], stop: asyncio.Event) -> bool:
    """Retry ``call`` until Telegram answers. ``False`` if stopped first."""
    tries = 0
    while not stop.is_set():
        try:
            await call()
        except (TelegramUnreachable, TelegramError) as error:
            pause: float = AGAIN_S[min(tries, len(AGAIN_S) - 1)]
            if isinstance(cause := error.__cause__ or error, RetryAfter):
                pause = max(pause, seconds(cause.retry_after))
            tries += 1
            why = str(error) or type(error).__name__
            _log.warning("telegram does not do it yet", why=why, again_in_s=pause)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await stop.wait()
        else:
            return True
    return False


async def _initialize(bot: Bot) -> None:
    await verify_bot(bot)
    try:
        await bot.initialize()
    except TelegramError as error:
        raise TelegramUnreachable(type(error).__name__) from error


async def _try_register_menus(bot: Bot, menus: dict[str, Commands]) -> None:
    """Best effort: the desk serves without a menu too."""
    try:
        await register_commands(bot, menus)
    except ChannelError as error:
        _log.warning("command menu not set", why=str(error))
