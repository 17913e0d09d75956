"""The HTTP edge of the API: from a request to a call, and from its answer to a response.

No business rule is here. The checks come in one order, so that each request has one answer: size,
route and method, key, scope, rate, content type, idempotency key, body, replay, members, business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from starlette.datastructures import Headers
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bot.app import App
from bot.calls import reading
from bot.calls.answers import Document, FieldError, Problem, ProblemCode, Reply, invalid
from bot.calls.caller import CallContext, foreign_partner
from bot.calls.requests import NothingRequest
from bot.http.api import json_body, problems
from bot.http.api.queries import OperationQuery
from bot.http.api.reading import read_members, read_query
from bot.http.api.response import ProblemWording, answer_of, is_idempotency_key, respond
from bot.http.api.route import Given, Idempotency, Route
from bot.http.body import BodyRefused, read_body
from bot.rate_limits.sliding_window import Allowance
from bot.turns.calls import Admitted, Call, Credentials, Keyed, TurnedAway
from services.domain.api_answer import StoredAnswer
from services.domain.database import DatabaseFailed, DatabaseRefused
from services.domain.ids import ALPHABET
from services.ports import Tx

BODY_MAX = 64 * 1024  # bytes
KEY_MAX = 200  # characters of an API key or an idempotency key
ASK_S = 10.0  # real seconds that the bank gets to say what it knows
_NO_BODY = b""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request, as far as it was read."""

    request_id: str
    route: Route
    path: Mapping[str, str]
    http: HttpRequest
    body: bytes


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
        request_id = self._new_id()
        try:
            response = await self._answer(request, request_id)
        except BodyRefused as error:
            problem = Problem(ProblemCode.TOO_LARGE, f"A body has at most {BODY_MAX} bytes.")
            if error.status != 413:
                raise
            response = respond(self._stored(problem, request_id), request_id)
            response.headers["connection"] = "close"
        except Exception as error:  # noqa: BLE001 - logged and answered
            response = respond(self._stored(_undecided(error, request_id), request_id), request_id)
        if scope["method"] == "HEAD":
            response.body = _NO_BODY
        await response(scope, receive, send)

    def _new_id(self) -> str:
        random = self._app.random
        return "req_" + "".join(ALPHABET[random.randrange(len(ALPHABET))] for _ in range(16))

    def _stored(self, result: Reply | Problem, request_id: str, status: int = 200) -> StoredAnswer:
        return answer_of(result, request_id, status, self._word)

    async def _answer(self, http: HttpRequest, request_id: str) -> Response:
        body = await read_body(http, BODY_MAX)
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
        asked = _Asked(request_id, route, match.groupdict(), http, body)
        credentials = _credentials(http)
        if route.reads:
            return await self._read(asked, credentials)
        return await self._move(asked, credentials)

    def _turned_away(self, asked: _Asked, away: TurnedAway) -> Response:
        headers = {}
        if away.problem.code is ProblemCode.UNAUTHENTICATED:
            headers["www-authenticate"] = "ApiKey"
        if away.problem.code is ProblemCode.RATE_LIMITED and away.allowance is not None:
            headers["retry-after"] = str(away.allowance.again_in_s)
        answer = self._stored(away.problem, asked.request_id)
        return respond(answer, asked.request_id, away.allowance, headers)

    # Calls that only look ----------------------------------------------------------------------

    async def _read(self, asked: _Asked, credentials: Credentials) -> Response:
        route = asked.route
        query = _query_of(asked)
        mark = self._app.waits.mark

        def decide(call: CallContext) -> Reply | Problem:
            if isinstance(query, Problem):
                return query
            if (problem := foreign_partner(call.partner, _partner_named(query))) is not None:
                return problem
            return route.decide(call, Given(asked.path, query, None))

        looked = await self._app.calls.read(
            credentials, route.scopes, asked.request_id, route.budget, decide
        )
        if isinstance(looked, TurnedAway):
            return self._turned_away(asked, looked)
        admitted, result = looked
        if route.waits and isinstance(result, Reply) and isinstance(query, OperationQuery):
            result = await self._wait(result, query, mark)
        answer = self._stored(result, asked.request_id, route.status)
        if route.tagged and isinstance(result, Reply):
            return _tagged(asked, answer, result, admitted.allowance)
        return respond(answer, asked.request_id, admitted.allowance)

    async def _wait(self, first: Reply, query: OperationQuery, mark: int) -> Reply:
        assert first.document is not None
        assert first.operation is not None
        known = first.document["version"] if query.version is None else query.version
        if query.wait == 0 or first.document["version"] > known or first.document["final"]:
            return first
        seen = await self._app.waits.until_changed(first.operation, known, query.wait, mark)
        return first if seen is None else Reply(seen.document(), seen.reference)

    # Calls that may write ----------------------------------------------------------------------

    async def _move(self, asked: _Asked, credentials: Credentials) -> Response:
        route = asked.route
        admitted = await self._app.calls.admit(credentials, route.scopes, route.budget)
        if isinstance(admitted, TurnedAway):
            return self._turned_away(asked, admitted)
        read = _body_of(asked)
        if isinstance(read, Problem):
            return respond(
                self._stored(read, asked.request_id), asked.request_id, admitted.allowance
            )
        keyed, members = read
        body = read_members(route.body or NothingRequest, members)

        def decide(call: CallContext) -> Reply | Problem:
            if isinstance(body, Problem):
                return body
            if (problem := foreign_partner(call.partner, body.partner_id)) is not None:
                return problem
            return route.decide(call, Given(asked.path, None, body))

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
        self, asked: _Asked, admitted: Admitted, reference: str
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


_NO_ROUTE = Problem(ProblemCode.NOT_FOUND, "There is nothing at this path.")


def _undecided(error: Exception, request_id: str) -> Problem:
    """Nothing was committed. What breaks a rule of the schema is a fault of ours, not the
    database's, and would be one again. Call in the error's handler."""
    if isinstance(error, DatabaseFailed) and not isinstance(error, DatabaseRefused):
        _log.warning("call not decided: the database is not available", request=request_id)
        return Problem(ProblemCode.UNAVAILABLE, "Nothing was done. Send it again, please.")
    _log.exception("call failed", request=request_id)
    return Problem(ProblemCode.INTERNAL, f"Nothing was done. Tell us {request_id}, please.")


def _methods(route: Route) -> tuple[str, ...]:
    return ("GET", "HEAD") if route.method == "GET" else (route.method,)


def _credentials(http: HttpRequest) -> Credentials:
    """The key as ``x-api-key`` or as a bearer token. None at all is tried like a wrong one, so that
    both take the same time."""
    key = http.headers.get("x-api-key")
    if key is None:
        kind, _, rest = http.headers.get("authorization", "").partition(" ")
        key = rest.strip() if kind.lower() == "bearer" else ""
    return Credentials(key[:KEY_MAX], "" if http.client is None else http.client.host)


def _query_of(asked: _Asked) -> Any:
    """The query as the route's model, or a problem."""
    query = read_query(asked.http.scope["query_string"])
    if isinstance(query, Problem):
        return query
    assert asked.route.query is not None, "whatever only looks has a query"
    return read_members(asked.route.query, query)


def _partner_named(query: Any) -> str | None:
    named: str | None = query.partner_id
    return named


def _body_of(asked: _Asked) -> tuple[Keyed | None, dict[str, Any]] | Problem:
    """The idempotency key and the members of the body, read in the order of the checks."""
    route, headers = asked.route, asked.http.headers
    if asked.body and not _is_json(headers):
        return Problem(ProblemCode.UNSUPPORTED_MEDIA_TYPE, "A body is application/json, in UTF-8.")
    key = _idempotency_key(route, headers)
    if isinstance(key, Problem):
        return key
    if asked.http.scope["query_string"]:
        return invalid(FieldError("", "This call takes no query."))
    members: dict[str, Any] = {}
    if asked.body:
        try:
            members = json_body.read_object(asked.body)
        except json_body.Unreadable as error:
            return invalid(FieldError("", str(error)))
    elif route.body is not None and route.body.model_json_schema().get("required"):
        return invalid(FieldError("", "The body is a JSON object."))
    if key is None:
        return None, members
    path = asked.http.scope["path"]
    return Keyed(key, json_body.canonical(route.method, path, members)), members


def _is_json(headers: Headers) -> bool:
    kind, _, parameters = headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    return kind.strip().lower() == "application/json" and charset in ("", "charset=utf-8")


def _idempotency_key(route: Route, headers: Headers) -> str | Problem | None:
    if route.idempotency is Idempotency.IGNORED:
        return None
    given = headers.getlist("idempotency-key")
    if not given:
        if route.idempotency is Idempotency.HONOURED:
            return None
        return Problem(
            ProblemCode.IDEMPOTENCY_KEY_MISSING,
            "Send an Idempotency-Key: the same one whenever you send this request again.",
        )
    key = given[0].strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if len(given) > 1 or not is_idempotency_key(key):
        return Problem(
            ProblemCode.IDEMPOTENCY_KEY_INVALID,
            "An Idempotency-Key has 16 to 128 of A-Z, a-z, 0-9, _ and -.",
        )
    return key


def _tagged(asked: _Asked, answer: StoredAnswer, result: Reply, allowance: Allowance) -> Response:
    assert result.document is not None
    tag = reading.tag_of(dict(result.document))
    known = [item.strip() for item in asked.http.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known or f"W/{tag}" in known:
        headers = {"etag": tag}
        return respond(None, asked.request_id, allowance, headers, status=304)
    return respond(answer, asked.request_id, allowance, {"etag": tag})
