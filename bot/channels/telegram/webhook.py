"""Telegram's webhook: 200 acknowledges an update, so it is sent only after the commit."""

from __future__ import annotations

import hmac
import re

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from telegram import Bot

from bot.channels.telegram.wire import (
    ALLOWED_UPDATES,
    NOT_JSON,
    HandleUpdate,
    UnreadableUpdate,
    read_update,
    update_id_of,
)
from bot.http.body import read_body
from bot.http.request_limits import with_request_limits

PATH = "/telegram/webhook"  # not secret, since proxies log paths; the header holds the secret
BODY_MAX = 256 * 1024  # bytes; far more than 4,096 characters with all their entities
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")  # what setWebhook accepts

log = structlog.get_logger()


async def register_webhook(bot: Bot, url: str, secret: str) -> None:
    """Have updates sent to ``url`` (ending in ``PATH``). Raises ``telegram.error``'s errors."""
    await bot.set_webhook(url, secret_token=secret, allowed_updates=ALLOWED_UPDATES)


def webhook_app(handle: HandleUpdate, secret: str) -> Starlette:
    """An app with the one route ``PATH``; mount its routes, or serve it as it is.

    Any status but 2xx makes Telegram retry (facts: channels, Telegram): 503 if nothing was
    committed, but 200 for well-formed JSON that we cannot use.
    """
    if not _SECRET.fullmatch(secret):
        raise ValueError("a webhook's secret is 1-256 of A-Z, a-z, 0-9, _ and -")
    expected = secret.encode("ascii")

    async def receive(request: Request) -> Response:
        # Headers may hold any byte, and compare_digest accepts only ASCII text.
        given = request.headers.get(SECRET_HEADER, "").encode("latin-1")
        if not hmac.compare_digest(given, expected):
            return Response(status_code=403)
        body = await read_body(request, BODY_MAX)
        return Response(status_code=await _decide(body, handle))

    return with_request_limits([Route(PATH, receive, methods=["POST"])])


async def _decide(body: bytes, handle: HandleUpdate) -> int:
    """The HTTP status to answer with."""
    inbound = read_update(body)
    if isinstance(inbound, UnreadableUpdate):
        log.warning("telegram_update_unreadable", update_id=inbound.update_id, why=inbound.why)
        return 400 if inbound.why == NOT_JSON else 200
    try:
        await handle(inbound)
    except Exception as error:  # noqa: BLE001  nothing was committed: Telegram must retry
        log.error(
            "telegram_update_not_decided",
            update_id=update_id_of(inbound),
            error=type(error).__name__,
        )
        return 503
    return 200
