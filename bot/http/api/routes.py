"""Mounts the API in the HTTP server: its calls, and the pages that describe them."""

from __future__ import annotations

from collections.abc import Callable
from secrets import SystemRandom

from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.app import App
from bot.calls.answers import Problem, ProblemCode
from bot.http.api import problems
from bot.http.api.edge import ApiEdge
from bot.http.api.older import problems as older_problems
from bot.http.api.pages import ApiPages, is_page
from bot.http.api.response import answer_of, new_request_id, respond
from bot.http.api.table import OLDER, V1
from bot.http.request_limits import BODY_MAX, bare_refusal

_V1 = "/v1/"
_OLDER = "/functions/v1/"


class ApiDoor(BaseRoute):
    """All paths of a part of the API, so that what is not there is answered in its words."""

    def __init__(self, has: Callable[[str], bool], part: ASGIApp) -> None:
        self._has = has
        self._part = part

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and self._has(scope["path"]):
            return Match.FULL, {}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._part(scope, receive, send)


def api_routes(app: App) -> list[BaseRoute]:
    """To stand last: whatever no other route has is answered as a path that the API has not."""
    return [
        ApiDoor(_is_v1, ApiEdge(app, V1)),
        ApiDoor(_is_older, ApiEdge(app, OLDER, older_problems.document)),
        ApiDoor(is_page, ApiPages(app.random)),
        ApiDoor(_is_any, ApiEdge(app, ())),
    ]


def api_refusal(scope: Scope, status: int) -> Response:
    """Words what ``RequestLimits`` refuses before a call of the API is read, or cuts off while it
    is decided. Other paths get no words. A body that comes too slowly is 400, as the API has no
    408."""
    path: str = scope["path"]
    if not (_is_v1(path) or _is_older(path) or is_page(path)):
        return bare_refusal(scope, status)
    problem = _REFUSED.get(status, _BROKEN)
    if status == 503:
        problem = _SLOW if scope["method"] in ("GET", "HEAD") else _TOO_LATE
    request_id = new_request_id(SystemRandom())
    word = older_problems.document if _is_older(path) else problems.document
    response = respond(answer_of(problem, request_id, word=word), request_id)
    if status == 413:
        response.headers["connection"] = "close"  # the rest of the body is still to come
    if scope["method"] == "HEAD":
        response.body = b""
    return response


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


def _is_v1(path: str) -> bool:
    return f"{path}/".startswith(_V1)


def _is_older(path: str) -> bool:
    return f"{path}/".startswith(_OLDER)


def _is_any(path: str) -> bool:
    return True
