"""Who may reach the dashboard at all: by the one name that it has, and not too often.

A page of another site can make a browser send requests here under a name of its own (DNS
rebinding), so the name in ``Host`` decides before anything is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Router
from starlette.types import Receive, Scope, Send

from bot.environment.setting_types import is_this_machine
from bot.http.web.headers import FRESH
from bot.http.web.origin import is_loopback_host, only_host
from bot.rate_limits.sliding_window import SlidingWindows
from services.domain.database import DatabaseFailed

ROOT = "/dashboard"
REQUESTS = "requests"
LIMITS = {REQUESTS: 600}  # a minute, of one address: 50 open pages refresh as often

_log = structlog.get_logger(__name__)


class DashboardDoor(BaseRoute):
    """All paths below ``ROOT``. ``address`` is the dashboard's own, as the settings give it."""

    def __init__(self, address: str, routes: Sequence[BaseRoute], windows: SlidingWindows) -> None:
        parts = urlsplit(address)
        self._scheme, self._host = parts.scheme, parts.netloc
        self._only_here = is_this_machine(str(parts.hostname))
        self._windows = windows
        self._router = Router(routes, redirect_slashes=False, default=_not_found)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and f"{scope['path']}/".startswith(f"{ROOT}/"):
            return Match.FULL, {}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if not self._is_own_name(request):
            await _plain(421, "The dashboard has another address.")(scope, receive, send)
            return
        allowance = self._windows.take(REQUESTS, client_of(request))
        if not allowance.allowed:
            answer = _plain(429, "Too many requests. Wait a moment.")
            answer.headers["retry-after"] = str(allowance.again_in_s)
            await answer(scope, receive, send)
            return
        try:
            await self._router(scope, receive, send)
        except DatabaseFailed:  # every page is whole before any of it is sent
            _log.exception("a page of the dashboard failed")
            await _plain(503, "The database does not answer.")(scope, receive, send)

    def _is_own_name(self, request: Request) -> bool:
        """On this machine alone, both ends must be on it; elsewhere a proxy must say that the
        caller came by https."""
        host = only_host(request)
        if host is None:
            return False
        if self._only_here:
            return is_loopback_host(host) and is_this_machine(client_of(request))
        return host.casefold() == self._host and request.url.scheme == self._scheme


def client_of(request: Request) -> str:
    """The caller's address, in one spelling; empty where there is none."""
    return "" if request.client is None else request.client.host


def origin_of(request: Request) -> str:
    """What a browser calls a page of ours, once the door has checked its name."""
    return f"{request.url.scheme}://{only_host(request)}"


def _plain(status: int, words: str) -> Response:
    return Response(f"{words}\n", status_code=status, media_type="text/plain", headers=dict(FRESH))


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    await _plain(404, "There is no such page.")(scope, receive, send)
