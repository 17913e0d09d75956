"""The command menus that Telegram shows. A menu is a courtesy, never a permission."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

import structlog
from telegram import Bot, BotCommandScope, BotCommandScopeAllPrivateChats, BotCommandScopeChat

from bot.channel import ChannelError
from bot.telegram.errors import as_channel_errors

Commands: TypeAlias = Sequence[tuple[str, str]]  # (name without slash, what it does)

log = structlog.get_logger()


async def register_commands(
    bot: Bot,
    partners: Mapping[str, Commands],
    admins: Collection[str] = (),
    admin_commands: Mapping[str, Commands] | None = None,
) -> None:
    """Show ``partners`` (by language) in every private chat, ``admin_commands`` to each admin.

    The first language is also what people of any other language see. Raises ``ChannelError``
    when the menu for all is not taken; an admin who never wrote to us is only logged.
    """
    await _show(bot, BotCommandScopeAllPrivateChats(), partners)
    for address in admins:
        try:
            await _show(bot, BotCommandScopeChat(int(address)), admin_commands or {})
        except ChannelError as error:
            log.warning("telegram_admin_menu_not_set", admin=address, why=str(error))


async def remove_commands(bot: Bot, address: str, languages: Collection[str]) -> None:
    """Take an admin's own menu away, when the role goes."""
    scope = BotCommandScopeChat(int(address))
    for language in (None, *languages):
        with as_channel_errors("chat not found"):
            await bot.delete_my_commands(scope=scope, language_code=language)


async def _show(bot: Bot, scope: BotCommandScope, menus: Mapping[str, Commands]) -> None:
    for n, (language, commands) in enumerate(menus.items()):
        with as_channel_errors():
            if n == 0:
                await bot.set_my_commands(commands, scope=scope)
            await bot.set_my_commands(commands, scope=scope, language_code=language)
