"""The HTTP edge of the API: from a request to a call, and from its answer to a response.

No business rule is here. The checks come in one order, so that each request has one answer: size,
route and method, key, scope, rate, content type, idempotency key, body, replay, members, business.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import structlog
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bot.app import App
from bot.calls import reading
from bot.calls.answers import Document, Problem, ProblemCode, Reply
from bot.calls.caller import CallContext, foreign_partner
from bot.calls.requests import NothingRequest
from bot.http.api import problems
from bot.http.api.queries import OperationQuery
from bot.http.api.reading import (
    Asked,
    body_of,
    credentials_of,
    query_of,
    read_members,
)
from bot.http.api.response import (
    ProblemWording,
    answer_of,
    new_request_id,
    respond,
)
from bot.http.api.route import BODY_MAX, Given, Route
from bot.http.body import BodyRefused, read_body
from bot.http.presence import while_connected
from bot.rate_limits.sliding_window import Allowance
from bot.turns.calls import Admitted, Call, Credentials, TurnedAway
from services.domain.api_answer import StoredAnswer
from services.domain.database import DatabaseFailed, DatabaseRefused
from services.ports import Tx

ASK_S = 10.0  # real seconds that the bank gets to say what it knows
_NO_BODY = b""

_log = structlog.get_logger(__name__)


class ApiEdge:
    """An ASGI app for every path of the API, or of a part that words its problems alike."""

    def __init__(
        self, app: App, routes: Sequence[Route], word: ProblemWording = problems.document
    ) -> None:
        self._app = app
        self._routes = routes
        self._word = word

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = HttpRequest(scope, receive)
        request_id = new_request_id(self._app.random)
        began = time.perf_counter()
        try:
            response = await self._answer(request, request_id)
        except BodyRefused as error:
            if error.status != 413:
                raise
            most = self._body_max(scope)
            problem = Problem(ProblemCode.TOO_LARGE, f"A body has at most {most} bytes.")
            response = respond(self._stored(problem, request_id), request_id)
            response.headers["connection"] = "close"
        except Exception as error:  # noqa: BLE001 - logged and answered
            problem = _undecided(error, scope["method"], request_id)
            response = respond(self._stored(problem, request_id), request_id)
        if scope["method"] == "HEAD":
            response.body = _NO_BODY
        took_s = time.perf_counter() - began
        self._app.metrics.api(scope.get("hazina.call", ""), response.status_code, took_s)
        await response(scope, receive, send)

    def _stored(self, result: Reply | Problem, request_id: str, status: int = 200) -> StoredAnswer:
        return answer_of(result, request_id, status, self._word)

    async def _answer(self, http: HttpRequest, request_id: str) -> Response:
        body = await read_body(http, self._body_max(http.scope))
        method = "GET" if http.method == "HEAD" else http.method
        path = http.scope["path"]
        found = [
            (route, match) for route in self._routes if (match := route.pattern.fullmatch(path))
        ]
        if not found:
            return respond(self._stored(_NO_ROUTE, request_id), request_id)
        chosen = next(((route, match) for route, match in found if route.method == method), None)
        if chosen is None:
            allowed = sorted({name for route, _ in found for name in _methods(route)})
            problem = Problem(ProblemCode.METHOD_NOT_ALLOWED, f"Allowed: {', '.join(allowed)}.")
            headers = {"allow": ", ".join(allowed)}
            return respond(self._stored(problem, request_id), request_id, headers=headers)
        route, match = chosen
        http.scope["hazina.call"] = route.name
        asked = Asked(request_id, route, match.groupdict(), http, body)
        credentials = credentials_of(http)
        if route.reads:
            return await self._read(asked, credentials)
        return await self._move(asked, credentials)

    def _body_max(self, scope: Scope) -> int:
        """In bytes, of what is sent to this path by this method."""
        return max(
            (
                route.body_max
                for route in self._routes
                if route.method == scope["method"] and route.pattern.fullmatch(scope["path"])
            ),
            default=BODY_MAX,
        )

    def _turned_away(self, asked: Asked, away: TurnedAway) -> Response:
        headers = {}
        if away.problem.code is ProblemCode.RATE_LIMITED and away.allowance is not None:
            headers["retry-after"] = str(away.allowance.again_in_s)
        answer = self._stored(away.problem, asked.request_id)
        return respond(answer, asked.request_id, away.allowance, headers)

    # Calls that only look ----------------------------------------------------------------------

    async def _read(self, asked: Asked, credentials: Credentials) -> Response:
        route = asked.route
        query = query_of(asked)
        mark = self._app.waits.mark

        def decide(call: CallContext) -> Reply | Problem:
            if isinstance(query, Problem):
                return query
            if (problem := foreign_partner(call.partner, query.partner_id)) is not None:
                return problem
            return route.decide(call, Given(asked.path, query, None))

        looked = await self._app.calls.read(
            credentials, route.scopes, asked.request_id, route.budget, decide
        )
        if isinstance(looked, TurnedAway):
            return self._turned_away(asked, looked)
        admitted, result = looked
        if route.waits and isinstance(result, Reply) and isinstance(query, OperationQuery):
            result = await self._wait(asked, admitted, result, query, mark)
        answer = self._stored(result, asked.request_id, route.status)
        if route.tagged and isinstance(result, Reply):
            return _tagged(asked, answer, result, admitted.allowance)
        return respond(answer, asked.request_id, admitted.allowance, _file_headers(result))

    async def _wait(
        self, asked: Asked, admitted: Admitted, first: Reply, query: OperationQuery, mark: int
    ) -> Reply:
        assert first.document is not None
        assert first.operation is not None
        known = first.document["version"] if query.version is None else query.version
        if query.wait == 0 or first.document["version"] > known or first.document["final"]:
            return first
        seen = await while_connected(
            asked.http.receive,
            self._app.waits.until_changed(
                admitted.partner.code, first.operation, known, query.wait, mark
            ),
        )
        return first if seen is None else Reply(seen.document(), seen.reference)

    # Calls that may write ----------------------------------------------------------------------

    async def _move(self, asked: Asked, credentials: Credentials) -> Response:
        route = asked.route
        admitted = await self._app.calls.admit(credentials, route.scopes, route.budget)
        if isinstance(admitted, TurnedAway):
            return self._turned_away(asked, admitted)
        read = body_of(asked)
        if isinstance(read, Problem):
            return respond(
                self._stored(read, asked.request_id), asked.request_id, admitted.allowance
            )
        keyed, members = read
        named = query_of(asked)
        body = (
            read_members(route.body or NothingRequest, members)
            if isinstance(members, dict)
            else members
        )

        def decide(call: CallContext) -> Reply | Problem:
            for given in (named, body):
                if isinstance(given, Problem):
                    return given
                if (problem := foreign_partner(call.partner, given.partner_id)) is not None:
                    return problem
            return route.decide(call, Given(asked.path, named, body))

        call = Call(
            route.name,
            asked.request_id,
            decide,
            lambda result: self._stored(result, asked.request_id, route.status),
            keyed,
        )
        outcome = await self._app.calls.handle(admitted, call)
        answer = outcome.answer
        if route.asks_bank and answer.status == route.status and answer.operation is not None:
            answer = await self._ask_bank(asked, admitted, answer.operation) or answer
        headers = {"idempotent-replayed": "true"} if outcome.replayed else {}
        return respond(answer, asked.request_id, admitted.allowance, headers)

    async def _ask_bank(
        self, asked: Asked, admitted: Admitted, reference: str
    ) -> StoredAnswer | None:
        await self._app.ask_bank(reference, ASK_S)

        def look(tx: Tx) -> Document | None:
            seen = tx.public_operations.get(reference)
            if seen is None or seen.partner != admitted.partner.code:
                return None
            return asked.route.shown(tx, seen)

        document = await self._app.database.read(look)
        if document is None:
            return None
        return self._stored(Reply(document, reference), asked.request_id)


def _failed(method: str, request_id: str) -> Problem:
    """What writes may have been committed before it failed."""
    if method in ("GET", "HEAD"):
        return Problem(ProblemCode.INTERNAL, f"Tell us {request_id}, please.")
    return Problem(
        ProblemCode.INTERNAL,
        "This may have been done all the same. Send it again with the same idempotency key, and"
        f" tell us {request_id}, please.",
        {"money": "pending"},
    )


_NO_ROUTE = Problem(ProblemCode.NOT_FOUND, "There is nothing at this path.")


def _undecided(error: Exception, method: str, request_id: str) -> Problem:
    """What breaks a rule of the schema is a fault of ours, not the database's, and would be one
    again. Call in the error's handler."""
    if isinstance(error, DatabaseFailed) and not isinstance(error, DatabaseRefused):
        _log.warning("call not decided: the database is not available", request=request_id)
        return Problem(ProblemCode.UNAVAILABLE, "Nothing was done. Send it again, please.")
    _log.exception("call failed", request=request_id)
    return _failed(method, request_id)


def _file_headers(result: Reply | Problem) -> Mapping[str, str]:
    if isinstance(result, Problem) or result.file is None:
        return {}
    return {"content-disposition": f'attachment; filename="{result.file.name}"'}


def _methods(route: Route) -> tuple[str, ...]:
    return ("GET", "HEAD") if route.method == "GET" else (route.method,)


def _tagged(asked: Asked, answer: StoredAnswer, result: Reply, allowance: Allowance) -> Response:
    assert result.document is not None
    tag = reading.tag_of(dict(result.document))
    known = [item.strip() for item in asked.http.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known or f"W/{tag}" in known:
        headers = {"etag": tag}
        return respond(None, asked.request_id, allowance, headers, status=304)
    return respond(answer, asked.request_id, allowance, {"etag": tag})
