"""The one-time link: a page with one button, whose POST spends it.

Chats, mail servers and browsers fetch links by themselves, so fetching this one changes nothing.
The button works only in the browser that was shown it.
"""

from __future__ import annotations

import hmac
import re
from urllib.parse import parse_qs

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.http.body import read_body
from bot.http.dashboard.door import ROOT, client_of, origin_of
from bot.http.dashboard.site import Site
from bot.http.dashboard.visitor import Visitor, for_admins
from bot.http.web.headers import FRESH
from bot.http.web.origin import is_from_own_page
from bot.rate_limits.sliding_window import SlidingWindows
from bot.rate_limits.token_bucket import TokenBucket
from services import dashboard_access
from services.dashboard_access import OpenedSession
from services.domain.audit import HAZINA, by_admin
from services.domain.ledger import HOUSE
from services.domain.token import draw_token
from services.ports import Tx

LOGINS = "logins"
LIMITS = {LOGINS: 10}  # a minute, of one address
AUDITED_BURST, AUDITED_EVERY_S = 5, 720.0  # refused logins in the audit log, which is never emptied
FORM_MAX = 1_024  # bytes
_LINK = re.compile(r"[A-Za-z0-9_-]{43}")

_log = structlog.get_logger(__name__)


class Login:
    """``windows`` count under ``LOGINS``."""

    def __init__(self, site: Site, windows: SlidingWindows) -> None:
        self._site = site
        self._windows = windows
        self._audited = TokenBucket(AUDITED_BURST, AUDITED_EVERY_S, site.app.metrics.monotonic)

    def routes(self) -> list[Route]:
        return [
            Route(f"{ROOT}/login/{{link}}", self._show, methods=["GET"]),
            Route(f"{ROOT}/login", self._open, methods=["POST"]),
            Route(f"{ROOT}/logout", for_admins(self._site, self._close), methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        """Asks nothing of the database: whether the link is good, only the button tells."""
        link = request.path_params["link"]
        if not _LINK.fullmatch(link):
            return self._site.page("refused.html", 404)
        browser = draw_token(self._site.app.random)
        response = self._site.page("login.html", link=link, browser=browser)
        self._site.cookies.put(response, "browser", browser)
        return response

    async def _open(self, request: Request) -> Response:
        if not self._windows.take(LOGINS, client_of(request)).allowed:
            _log.warning("dashboard login refused", why="too many", address=client_of(request))
            return self._site.page("refused.html", 429)
        form = await _form(request)
        if not is_from_own_page(request, origin_of(request)):
            return await self._refuse(request, "another site")
        shown = self._site.cookies.get(request, "browser") or ""
        if not shown or not hmac.compare_digest(shown.encode(), form.get("browser", "").encode()):
            return await self._refuse(request, "another browser")
        opened = await self._site.app.database.write(lambda tx: self._spend(tx, form))
        if opened is None:
            return await self._refuse(request, "no such link")
        response = RedirectResponse(ROOT, 303, headers=dict(FRESH))
        self._site.cookies.put(response, "session", opened.token)
        self._site.cookies.drop(response, "browser")
        return response

    def _spend(self, tx: Tx, form: dict[str, str]) -> OpenedSession | None:
        opened = dashboard_access.spend_link(tx, self._site.app.random, form.get("link", ""))
        if opened is None:
            return None
        admin = opened.session.admin
        if admin not in self._site.app.context.admins:  # the right went after the link was made
            dashboard_access.end_session(tx, opened.token)
            return None
        tx.audit.add(HOUSE, by_admin(*admin), "dashboard_opened", by_admin(*admin))
        return opened

    async def _refuse(self, request: Request, why: str) -> Response:
        """Every refusal is logged; of many, a few an hour are audited too."""
        address = client_of(request)
        _log.warning("dashboard login refused", why=why, address=address)
        if self._audited.take():
            facts = {"why": why, "address": address}
            await self._site.app.database.write(
                lambda tx: tx.audit.add(HOUSE, HAZINA, "dashboard_refused", "dashboard", facts)
            )
        return self._site.page("refused.html", 403)

    async def _close(self, request: Request, visitor: Visitor) -> Response:
        form = await _form(request)
        own = is_from_own_page(request, origin_of(request))
        if not own or not visitor.has_form_token(form.get("form_token", "")):
            return self._site.page("refused.html", 403)

        def close(tx: Tx) -> None:
            dashboard_access.end_session(tx, visitor.token)
            tx.audit.add(HOUSE, visitor.actor, "dashboard_closed", visitor.actor)

        await self._site.app.database.write(close)
        response = self._site.page("closed.html")
        self._site.cookies.drop(response, "session")
        return response


async def _form(request: Request) -> dict[str, str]:
    """The first value of each field. Raises ``BodyRefused``."""
    body = await read_body(request, FORM_MAX)
    return {name: values[0] for name, values in parse_qs(body.decode("ascii", "replace")).items()}
