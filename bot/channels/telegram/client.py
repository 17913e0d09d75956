"""The Bot API client, set up so that it never logs the token or what people wrote."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import httpx
from pydantic_core import from_json
from telegram import Bot
from telegram.error import InvalidToken, TelegramError
from telegram.request import HTTPXRequest
from telegram.warnings import PTBDeprecationWarning, PTBUserWarning

from bot.environment.network import Network

TIMEOUT_S = 10.0  # real seconds to connect, for each write, and by default for each read
CONNECTIONS_MAX = 64
OFFICIAL = "https://api.telegram.org/bot"


class TokenSafeBot(Bot):
    """PTB's client, without the two places where it shows the token."""

    async def initialize(self) -> None:
        try:
            return await super().initialize()
        except InvalidToken:
            pass
        # PTB's message quotes the token; raised outside the except block so that it is no context.
        raise InvalidToken("Telegram does not know this bot token")

    def __repr__(self) -> str:
        return "DeskBot()"


class _Request(HTTPXRequest):
    """PTB's HTTP client, with a parser that does not log what it cannot parse."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        try:
            answer = from_json(payload.decode(errors="replace"))
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise TelegramError("Invalid server response")
        answer.setdefault("result", None)  # PTB expects the key even if a success has no result
        return answer


def open_bot(
    token: str,
    *,
    base_url: str = OFFICIAL,
    transport: httpx.AsyncBaseTransport | None = None,
    network: Network | None = None,
) -> Bot:
    """A client that is not initialised yet: use ``async with``, or call ``initialize()`` and
    ``shutdown()``.

    ``base_url`` (such as ``http://127.0.0.1:8081/bot``; the token is appended) and ``transport``
    are for a self-hosted or simulated Bot API server. ``network`` holds the proxies and
    certificates; without it calls are direct. Raises ``bot.environment.network.NetworkFault``.
    """
    keep_quiet()
    httpx_kwargs: dict[str, Any] = {"trust_env": False}
    if network is not None:
        httpx_kwargs |= {"verify": network.tls, "proxy": network.proxy_for(base_url)}
    if transport is not None:
        httpx_kwargs["transport"] = transport

    def request(connections: int) -> _Request:
        return _Request(
            connection_pool_size=connections,
            connect_timeout=TIMEOUT_S,
            read_timeout=TIMEOUT_S,
            write_timeout=TIMEOUT_S,
            pool_timeout=TIMEOUT_S,
            httpx_kwargs=httpx_kwargs,
        )

    return TokenSafeBot(
        token,
        base_url=base_url,
        base_file_url=f"{base_url.removesuffix('/bot')}/file/bot",
        request=request(CONNECTIONS_MAX),
        get_updates_request=request(1),
    )


def keep_quiet() -> None:
    """Silence libraries: httpx logs URLs, PTB at DEBUG bodies (facts: channels, Telegram)."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpcore").setLevel(logging.WARNING)
    logging.getLogger("telegram").setLevel(logging.WARNING)
    # ``do_api_request`` is PTB's public way to a raw answer, and warns at every call for which PTB
    # has a method of its own.
    warnings.filterwarnings("ignore", message=r"Please use 'Bot\.", category=PTBUserWarning)
    # PTB reads its own deprecated property when it builds a RetryAfter, so with warnings as errors
    # every 429 would be lost.
    warnings.filterwarnings(
        "ignore", message=r".*attribute `retry_after`", category=PTBDeprecationWarning
    )
