"""What describes the API, for everybody: the OpenAPI document, the docs page, and where the
``type`` of a problem leads."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bot.calls.answers import Problem, ProblemCode
from bot.http.api import openapi, problems
from bot.http.api.docs_page import render
from bot.http.api.response import JSON, answer_of, new_request_id, respond
from bot.http.api.table import ROUTES
from services.ports import Random

DOCUMENT = "/openapi.json"
PAGE = "/docs"
_CODES = frozenset(code.value for code in ProblemCode)
_CACHED = "public, max-age=300"
_HTML = "text/html; charset=utf-8"
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def is_page(path: str) -> bool:
    return path in (DOCUMENT, PAGE) or path.startswith(problems.TYPE)


@cache
def _made() -> Mapping[str, tuple[str, str]]:
    """Media type and text by path: made at the first request, and the same for everybody."""
    document = openapi.build(ROUTES)
    return {
        DOCUMENT: (JSON, openapi.to_text(document)),
        PAGE: (_HTML, render(document)),
    }


class ApiPages:
    """An ASGI app."""

    def __init__(self, random: Random) -> None:
        self._random = random

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = new_request_id(self._random)
        response = self._answer(scope["method"], scope["path"], request_id)
        response.headers["x-request-id"] = request_id
        for name, value in _HEADERS.items():
            response.headers[name] = value
        if scope["method"] == "HEAD":
            response.body = b""
        await response(scope, receive, send)

    def _answer(self, method: str, path: str, request_id: str) -> Response:
        code, pages = path.removeprefix(problems.TYPE), _made()
        if path not in pages and code not in _CODES:
            problem = Problem(ProblemCode.NOT_FOUND, "There is no problem of this name.")
            return respond(answer_of(problem, request_id), request_id)
        if method not in ("GET", "HEAD"):
            problem = Problem(ProblemCode.METHOD_NOT_ALLOWED, "Allowed: GET, HEAD.")
            answer = answer_of(problem, request_id)
            return respond(answer, request_id, headers={"allow": "GET, HEAD"})
        if path not in pages:
            return Response(status_code=303, headers={"location": f"{PAGE}#{code}"})
        media_type, text = pages[path]
        headers = {"cache-control": _CACHED, "content-type": media_type}
        return Response(text, headers=headers)
