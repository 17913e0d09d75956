"""Command menus a bot sets, by scope, chat and language."""

from __future__ import annotations

import re
from typing import Any

from bot.simulation.telegram import requests
from bot.simulation.telegram.chats import Chats
from bot.simulation.telegram.errors import ApiError, ApiRefusal

COMMANDS_MAX = 100
_COMMAND = re.compile(r"/?([a-z0-9_]{1,32})")
_DESCRIPTION_MAX = 256  # characters
_LANGUAGE = re.compile(r"([a-z]{2})?")
_SCOPES = frozenset({"default", "all_private_chats", "all_group_chats", "all_chat_administrators"})
_CHAT_SCOPES = frozenset({"chat", "chat_administrators", "chat_member"})

Scope = tuple[str, int | None, str]


class Menus:
    def __init__(self, chats: Chats) -> None:
        self._chats = chats
        self.commands: dict[Scope, list[tuple[str, str]]] = {}

    def set(self, request: requests.SetMyCommands) -> bool:
        scope = self._scope(request)
        given = request.commands
        if not isinstance(given, list):
            raise ApiError(ApiRefusal.COMMAND_INVALID)
        if len(given) > COMMANDS_MAX:
            raise ApiError(ApiRefusal.COMMANDS_TOO_MANY)
        self.commands[scope] = [_read(command) for command in given]
        return True

    def delete(self, request: requests.OfMenu) -> bool:
        self.commands.pop(self._scope(request), None)
        return True

    def get(self, request: requests.OfMenu) -> list[dict[str, Any]]:
        menu = self.commands.get(self._scope(request), [])
        return [{"command": name, "description": words} for name, words in menu]

    def _scope(self, request: requests.OfMenu) -> Scope:
        if not _LANGUAGE.fullmatch(request.language_code):
            raise ApiError(ApiRefusal.LANGUAGE_INVALID)
        match request.scope:
            case None:
                return "default", None, request.language_code
            case {"type": str(kind)} if kind in _SCOPES:
                return kind, None, request.language_code
            case {"type": str(kind), **rest} if kind in _CHAT_SCOPES:
                chat = self._chats.known(str(rest.get("chat_id", "")))
                return kind, chat.chat_id, request.language_code
            case _:
                raise ApiError(ApiRefusal.SCOPE_UNKNOWN)


def _read(given: object) -> tuple[str, str]:
    if not isinstance(given, dict):
        raise ApiError(ApiRefusal.COMMAND_INVALID)
    name = _COMMAND.fullmatch(str(given.get("command", "")))
    if name is None:
        raise ApiError(ApiRefusal.COMMAND_INVALID)
    words = str(given.get("description", "")).strip()
    if not 1 <= len(words) <= _DESCRIPTION_MAX:
        raise ApiError(ApiRefusal.COMMAND_UNDESCRIBED)
    return name[1], words
