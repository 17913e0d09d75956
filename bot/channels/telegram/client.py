"""The Bot API client as the desk uses it: nothing of it prints the token or what people wrote."""

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

TIMEOUT_S = 10.0  # to connect, for each write, and for each read that is given no time of its own
CONNECTIONS_MAX = 64
OFFICIAL = "https://api.telegram.org/bot"


class TokenSafeBot(Bot):
    """PTB's client without its two ways of showing the token."""

    async def initialize(self) -> None:
        try:
            return await super().initialize()
        except InvalidToken:
            pass
        # PTB's own message quotes the token; raised out here so that it is no context either.
        raise InvalidToken("Telegram does not know this bot token")

    def __repr__(self) -> str:
        return "DeskBot()"


class _Request(HTTPXRequest):
    """PTB's HTTP client, whose parser does not log what it cannot parse."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        try:
            answer = from_json(payload.decode(errors="replace"))
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise TelegramError("Invalid server response")
        answer.setdefault("result", None)  # a success that says no more is none the less one
        return answer


def open_bot(
    token: str,
    *,
    base_url: str = OFFICIAL,
    transport: httpx.AsyncBaseTransport | None = None,
    network: Network | None = None,
) -> Bot:
    """A client, not yet initialised: ``async with`` it, or ``initialize()`` and ``shutdown()``.

    ``base_url`` (``http://127.0.0.1:8081/bot``; the token is appended) and ``transport`` are for
    a Bot API server of one's own, such as the simulated one. ``network`` is how calls leave this
    machine; without it they go straight there. Raises ``bot.environment.network.NetworkFault``.
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
        request=request(CONNECTIONS_MAX),
        get_updates_request=request(1),
    )


def keep_quiet() -> None:
    """Facts: channels, Telegram: httpx prints URLs, PTB at DEBUG bodies."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpcore").setLevel(logging.WARNING)
    logging.getLogger("telegram").setLevel(logging.WARNING)
    # ``do_api_request`` is PTB's public way to an undigested answer, and says at every call that
    # it could digest this one.
    warnings.filterwarnings("ignore", message=r"Please use 'Bot\.", category=PTBUserWarning)
    # PTB reads its own deprecated property when it builds a RetryAfter, so where warnings are
    # errors every 429 would be lost.
    warnings.filterwarnings(
        "ignore", message=r".*attribute `retry_after`", category=PTBDeprecationWarning
    )
