"""Who looks: an admin with a session, asked again at each request."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.context import AppContext, TurnContext
from bot.http.dashboard.site import Site
from bot.http.web.headers import FRESH
from flows.engine.event import Event, EventKind
from services import dashboard_access
from services.domain.audit import by_admin
from services.domain.dashboard_session import DashboardSession
from services.domain.token import token_digest
from services.ports import Tx

FROM_SCRIPT = "hx-request"  # htmx sends it with whatever it fetches


@dataclass(frozen=True, slots=True)
class Visitor:
    """``token`` is the session's secret."""

    token: str
    session: DashboardSession

    @property
    def actor(self) -> str:
        """As in the audit log."""
        return by_admin(*self.session.admin)

    @property
    def form_token(self) -> str:
        """Stands in each form of this session; says nothing of the session's own secret."""
        return token_digest(f"form:{self.token}")

    def has_form_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.form_token.encode())

    def turn(self, app: AppContext, tx: Tx) -> TurnContext:
        """As if the admin asked in the chat: what handlers show there is shown here."""
        event = Event(self.session.channel, self.session.address, "dashboard", EventKind.COMMAND)
        return TurnContext(app, tx, event, None, is_admin=True)


Page: TypeAlias = Callable[[Request, Visitor], Awaitable[Response]]


def for_admins(site: Site, page: Page) -> Callable[[Request], Awaitable[Response]]:
    """The page, for whoever has a session and the right still; else a page that says where links
    come from. A page that is opened, not refreshed by itself, keeps the session alive."""

    async def answer(request: Request) -> Response:
        visitor = await find_visitor(site, request)
        if visitor is None:
            return _closed(site, request)
        if FROM_SCRIPT not in request.headers:
            await _note_use(site, visitor)
        return await page(request, visitor)

    return answer


async def find_visitor(site: Site, request: Request) -> Visitor | None:
    token = site.cookies.get(request, "session")
    if not token:
        return None
    session = await site.app.database.read(partial(dashboard_access.find_session, token=token))
    if session is None:
        return None
    if session.admin not in site.app.context.admins:  # and it stays over should the right come back
        await site.app.database.write(partial(dashboard_access.end_session, token=token))
        return None
    return Visitor(token, session)


async def _note_use(site: Site, visitor: Visitor) -> None:
    if visitor.session.wants_note(site.app.database.time.now()):
        await site.app.database.write(partial(dashboard_access.note_use, token=visitor.token))


def _closed(site: Site, request: Request) -> Response:
    if FROM_SCRIPT in request.headers:  # the whole page is fetched anew, and says the rest
        return HTMLResponse("", headers={**FRESH, "hx-refresh": "true"})
    return site.page("closed.html", 401)
