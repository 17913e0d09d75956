"""Limits for every route: body size, time for the body, time for the response, client address."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.environment.ip_addresses import parse_ip_address
from bot.http.body import BodyRefused, refuse_promised

BODY_MAX = 1024 * 1024  # bytes; a route with a lower limit passes it to ``read_body``
BODY_S = 10.0  # real seconds within which the whole body must arrive
ANSWER_S = 60.0  # real seconds until a response begins; a retry finds the work committed

Refusal = Callable[[Scope, int], Response]  # the answer to a request that is refused with a status

_log = structlog.get_logger(__name__)


def bare_refusal(scope: Scope, status: int) -> Response:
    return Response(status_code=status)


def with_request_limits(routes: Sequence[BaseRoute], refusal: Refusal = bare_refusal) -> Starlette:
    """An app with these routes, behind ``RequestLimits``."""
    limits = Middleware(RequestLimits, refusal=refusal)
    app = Starlette(routes=list(routes), middleware=[limits])
    app.router.redirect_slashes = False  # a redirect would be made of the Host that a caller named
    return app


class RequestLimits:
    """ASGI middleware. Answers 413 to a body over ``BODY_MAX``, 408 to one that takes longer than
    ``BODY_S``, 400 if the client disconnects, and 503 if a route has no response in ``ANSWER_S``.
    ``refusal`` words these answers.

    Normalises the address in ``scope["client"]``.
    """

    def __init__(self, app: ASGIApp, refusal: Refusal = bare_refusal) -> None:
        self._app = app
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["client"] = _in_one_spelling(scope.get("client"))
        begun = False

        async def begin(message: Message) -> None:
            nonlocal begun
            if not (begun or limit.expired()):
                limit.reschedule(None)  # a response that has begun may take as long as it needs
            begun = True
            await send(message)

        try:
            async with asyncio.timeout(ANSWER_S) as limit:
                refuse_promised(scope, BODY_MAX)
                await self._app(scope, _Body(receive).receive, begin)
                return
        except (BodyRefused, ClientDisconnect, TimeoutError) as error:
            if begun or (isinstance(error, TimeoutError) and not limit.expired()):
                raise
            status = _status(error)
        if status == 503:
            _log.error("http_answer_too_slow", seconds=ANSWER_S)
        response = self._refusal(scope, status)
        if status == 408:
            # The rest of a late body may still arrive, so the connection cannot be reused.
            response.headers["connection"] = "close"
        await response(scope, receive, send)


def _status(error: BodyRefused | ClientDisconnect | TimeoutError) -> int:
    if isinstance(error, BodyRefused):
        return error.status
    return 400 if isinstance(error, ClientDisconnect) else 503


class _Body:
    """One request's incoming body, counted and timed until it is complete."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._until = asyncio.get_running_loop().time() + BODY_S
        self._bytes = 0
        self._whole = False

    async def receive(self) -> Message:
        if self._whole:
            return await self._receive()  # reports whether the client is still connected
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise BodyRefused(408) from None
        self._bytes += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._bytes > BODY_MAX:
            raise BodyRefused(413)
        return message


def _in_one_spelling(client: tuple[str, int] | None) -> tuple[str, int] | None:
    if client is None or (address := parse_ip_address(client[0])) is None:
        return client
    return str(address), client[1]
