"""Where updates are posted, and what ``getWebhookInfo`` returns."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from bot.simulation.telegram.api_objects import seconds
from bot.simulation.telegram.errors import ApiError, ApiRefusal
from bot.simulation.telegram.requests import SetWebhook
from bot.simulation.telegram.updates import DEFAULT_KINDS, Updates

PORTS = (80, 88, 443, 8443)  # facts: channels, Telegram
SECRET_MAX = 256
_SECRET = re.compile(r"[A-Za-z0-9_-]*")


@dataclass(slots=True)
class Webhook:
    url: str
    secret: str
    max_connections: int
    last_error: tuple[datetime, str] | None = None


def read_webhook(request: SetWebhook, *, local: bool) -> Webhook:
    """``local`` allows plain http and any port, like a Bot API server started that way. Raises
    ``ApiError``.
    """
    if len(request.secret_token) > SECRET_MAX:
        raise ApiError(ApiRefusal.SECRET_TOO_LONG)
    if not _SECRET.fullmatch(request.secret_token):
        raise ApiError(ApiRefusal.SECRET_WRONG)
    url = request.url if "://" in request.url else f"https://{request.url}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise ApiError(ApiRefusal.WEBHOOK_URL_INVALID) from error
    if parts.scheme not in ("http", "https") or not host:
        raise ApiError(ApiRefusal.WEBHOOK_URL_INVALID)
    if not local:
        _check_public(parts.scheme, host, port)
    return Webhook(url, request.secret_token, request.max_connections)


def _check_public(scheme: str, host: str, port: int) -> None:
    """Names are not resolved here, except localhost."""
    if scheme != "https":
        raise ApiError(ApiRefusal.WEBHOOK_NO_HTTPS)
    if port not in PORTS:
        raise ApiError(ApiRefusal.WEBHOOK_PORT)
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        return
    if not address.is_global:
        raise ApiError(ApiRefusal.WEBHOOK_RESERVED, address=address)


def described(webhook: Webhook | None, updates: Updates) -> dict[str, Any]:
    """``getWebhookInfo``; without a webhook it reports updates waiting for a poll."""
    info: dict[str, Any] = {
        "url": webhook.url if webhook else "",
        "has_custom_certificate": False,
        "pending_update_count": len(updates.waiting),
    }
    if webhook is not None:
        if webhook.last_error is not None:
            moment, why = webhook.last_error
            info |= {"last_error_date": seconds(moment), "last_error_message": why}
        info["max_connections"] = webhook.max_connections
    if updates.allowed != DEFAULT_KINDS:
        info["allowed_updates"] = sorted(updates.allowed)
    return info
