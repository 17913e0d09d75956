"""Mounts the API in the HTTP server: its calls, and the pages that describe them."""

from __future__ import annotations

from secrets import SystemRandom

from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from bot.app import App
from bot.calls.answers import Problem, ProblemCode
from bot.http.api.edge import ApiEdge
from bot.http.api.pages import ApiPages, is_page
from bot.http.api.response import answer_of, new_request_id, respond
from bot.http.api.table import ROUTES
from bot.http.request_limits import BODY_MAX, bare_refusal

PREFIXES = ("/v1/", "/functions/v1/")


class ApiDoor(BaseRoute):
    """Everything below the API's prefixes, so that what is not there is answered in its words."""

    def __init__(self, edge: ApiEdge, pages: ApiPages) -> None:
        self._edge = edge
        self._pages = pages

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and _is_ours(scope):
            return Match.FULL, {}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_page(scope["path"]):
            await self._pages(scope, receive, send)
        else:
            await self._edge(scope, receive, send)


def api_routes(app: App) -> list[BaseRoute]:
    return [ApiDoor(ApiEdge(app, ROUTES), ApiPages(app.random, ROUTES))]


def api_refusal(scope: Scope, status: int) -> Response:
    """Words what ``RequestLimits`` refuses before a call of the API is read, or cuts off while it
    is decided. Other paths get no words."""
    if not _is_ours(scope):
        return bare_refusal(scope, status)
    request_id = new_request_id(SystemRandom())
    problem = _TOO_LATE if scope["method"] not in _READS else _SLOW
    if status != 503:
        problem = _REFUSED.get(status, _BROKEN)
    response = respond(answer_of(problem, request_id, status), request_id)
    if status == 413:
        response.headers["connection"] = "close"  # the rest of the body is still to come
    if scope["method"] == "HEAD":
        response.body = b""
    return response


_READS = ("GET", "HEAD")
_BROKEN = Problem(ProblemCode.INVALID_REQUEST, "The request did not arrive as a whole.")
_REFUSED = {
    408: Problem(ProblemCode.INVALID_REQUEST, "The body did not arrive in time."),
    413: Problem(ProblemCode.TOO_LARGE, f"No body has more than {BODY_MAX} bytes."),
}
_SLOW = Problem(ProblemCode.UNAVAILABLE, "This took too long. Send it again, please.")
# It may have been committed all the same.
_TOO_LATE = Problem(
    ProblemCode.UNAVAILABLE,
    "This took too long, and may still be done. Send it again with the same idempotency key.",
    {"money": "pending"},
)


def _is_ours(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.startswith(PREFIXES) or is_page(path)
