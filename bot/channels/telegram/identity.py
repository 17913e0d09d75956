"""Verifies that the server is a Bot API and the token is this bot's.

Done on the raw answer, because a wrong address may answer anything.
"""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
from telegram import Bot
from telegram.error import RetryAfter, TelegramError

SERVER = "TELEGRAM_BASE_URL"
TOKEN = "TELEGRAM_BOT_TOKEN"
WAIT_MAX_S = 86_400
DESCRIPTION_MAX = 100  # characters of the server's own error message


class BotMisconfigured(Exception):
    """Retrying cannot help; ``str()`` is a line that names the setting to correct."""


class TelegramUnreachable(Exception):
    """No usable answer yet; says what happened. Worth a retry."""


async def verify_bot(bot: Bot) -> None:
    """Check that the server is a Bot API and knows the token as this bot's.

    Raises ``BotMisconfigured`` and ``TelegramUnreachable``.
    """
    try:
        status, payload = await bot.request.do_request(f"{bot.base_url}/getMe", "GET")
    except TelegramError as error:
        raise TelegramUnreachable(_reason(error)) from error
    check_identity(status, payload, bot.token)


def check_identity(status: int, payload: bytes, token: str) -> None:
    """Check an answer to ``getMe``; raises as ``verify_bot`` does."""
    if status == 429 or status >= 500:
        raise TelegramUnreachable(f"it answers {status}") from _retry_time(payload)
    if 300 <= status < 400:
        raise BotMisconfigured(
            f"{SERVER}: the server sends us on to another address ({status}), which is not"
            " followed: write that address, with https if it is Telegram's"
        )
    answer = _json(payload)
    if answer is None or not isinstance(answer.get("ok"), bool):
        raise BotMisconfigured(f"{SERVER}: what answers there is no Bot API ({status})")
    if status == 401:
        raise BotMisconfigured(f"{TOKEN}: Telegram does not know it: copy it from @BotFather again")
    if status == 404:
        raise BotMisconfigured(
            f"{TOKEN}: the server knows no such path: the token is not whole (copy it from"
            f" @BotFather again), or {SERVER} has the wrong path in front of /bot"
        )
    if not answer["ok"] or not 200 <= status < 300:
        description = str(answer.get("description", ""))[:DESCRIPTION_MAX].replace(token, "…")
        raise TelegramUnreachable(f"it answers {status}: {description!r}")
    _same_bot(answer.get("result"), token)


def _same_bot(result: object, token: str) -> None:
    me = result if isinstance(result, dict) else {}
    number, name = me.get("id"), me.get("username")
    if (
        not isinstance(number, int)
        or me.get("is_bot") is not True
        or not isinstance(me.get("first_name"), str)
        or not isinstance(name, str)
        or not re.fullmatch(r"[A-Za-z0-9_]{1,64}", name)
    ):
        raise BotMisconfigured(f"{SERVER}: what answers there does not describe a bot")
    if token.partition(":")[0] != str(number):  # a token begins with its bot's id
        raise BotMisconfigured(f"{SERVER}: the server takes {TOKEN} for another bot's, @{name}")


def _retry_time(payload: bytes) -> RetryAfter | None:
    """The server's retry time, if it gives one."""
    parameters = (_json(payload) or {}).get("parameters")
    wait = parameters.get("retry_after") if isinstance(parameters, dict) else None
    return RetryAfter(wait) if isinstance(wait, int) and 0 < wait <= WAIT_MAX_S else None


def _json(payload: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _reason(error: TelegramError) -> str:
    """Connection and proxy errors include the reason, which helps the operator."""
    cause = error.__cause__
    if isinstance(cause, httpx.ConnectError | httpx.ProxyError):
        return f"{type(cause).__name__}: {cause}"
    return type(error).__name__
