"""Where M-PESA posts what came of payments and questions about them (facts: Daraja 5).

What is not taken here never comes again, so everything that can be stored is taken, readable or
not, and answered only after the commit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.adapters import RESULT_PATH, TIMEOUT_PATH
from bot.environment.ip_addresses import IpNetwork
from bot.http.body import read_body
from bot.http.callers import may_call

BODY_MAX = 64 * 1024  # bytes; a Result has some 1,500
HIDDEN = b"***"
ACCEPTED = {"ResultCode": 0, "ResultDesc": "Accepted"}

log = structlog.get_logger()

Take = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class DarajaEndpoint:
    """Who may post: ``secret`` is the last part of both URLs that go out with each request,
    ``networks`` are those that Safaricom calls from (empty: any)."""

    secret: str = field(repr=False)
    networks: Sequence[IpNetwork] = ()


def payout_result_routes(
    take_result: Take, take_timeout: Take, endpoint: DarajaEndpoint
) -> list[Route]:
    """POST ``/daraja/result/{secret}``, and ``/daraja/timeout/{secret}`` for what waited too long
    in a queue, which says nothing of its end.

    ``take_…`` commits the body, as it came but for the secret, together with what follows from it:
    a Result repeats the URL that was given for time-outs, and secrets are not stored. Answers 200
    once it has returned, and 503 if it raised; 413 over 64 KB, 404 for an unknown secret or
    network, and those of ``bot.http.request_limits``. Keep both paths out of access logs.
    """
    return [
        _route(f"{RESULT_PATH}/{{secret}}", take_result, endpoint),
        _route(f"{TIMEOUT_PATH}/{{secret}}", take_timeout, endpoint),
    ]


def _route(path: str, take: Take, endpoint: DarajaEndpoint) -> Route:
    async def receive(request: Request) -> Response:
        if not may_call(request, endpoint.secret, endpoint.networks):
            return Response(status_code=404)  # as if the endpoint did not exist
        body = await read_body(request, BODY_MAX)
        try:
            await take(body.replace(endpoint.secret.encode(), HIDDEN))
        except Exception as error:  # noqa: BLE001  nothing was committed; a query will find out
            log.error("daraja_result_not_taken", error=type(error).__name__)
            return Response(status_code=503)
        return JSONResponse(ACCEPTED)

    return Route(path, receive, methods=["POST"])
