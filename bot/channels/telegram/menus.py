"""The command menus that Telegram shows. A menu entry grants no permission."""

from __future__ import annotations

from collections.abc import Mapping

from telegram import Bot, BotCommandScope, BotCommandScopeAllPrivateChats, BotCommandScopeChat

from bot.channels.telegram.errors import as_channel_errors
from bot.outbox.channel import Commands


async def register_commands(bot: Bot, menus: Mapping[str, Commands]) -> None:
    """Set the menus, by language, of private chats without their own.

    The first language is also the default for all others. Raises ``ChannelError``.
    """
    scope = BotCommandScopeAllPrivateChats()
    for n, (language, commands) in enumerate(menus.items()):
        if n == 0:
            await _set(bot, scope, commands)
        await _set(bot, scope, commands, language)


async def show_commands(bot: Bot, address: str, commands: Commands) -> None:
    """Set the chat's own menu; with no commands, fall back to the default menu.

    Raises ``ChannelError``.
    """
    scope = BotCommandScopeChat(int(address))
    if commands:
        await _set(bot, scope, commands)
        return
    with as_channel_errors("chat not found"):
        await bot.delete_my_commands(scope=scope)


async def _set(
    bot: Bot, scope: BotCommandScope, commands: Commands, language: str | None = None
) -> None:
    with as_channel_errors():
        await bot.set_my_commands(commands, scope=scope, language_code=language)
