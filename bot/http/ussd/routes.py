"""Where a gateway of USSD calls: with each hop, and when a session has ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.environment.ip_addresses import IpNetwork
from bot.http.body import read_body
from bot.http.callers import may_call
from bot.http.ussd.gateway import Gateway
from services.domain.database import DatabaseUnavailable
from services.domain.ussd import BUSY, Hop, Page, UssdEvent

HOP_PATH = "/ussd/{secret}"
EVENT_PATH = "/ussd/{secret}/events"
HOP_BODY_MAX = 4 * 1024  # bytes; a hop has some 200
EVENT_BODY_MAX = 16 * 1024  # bytes; an event repeats all that was typed, and the last page
FAULT = Page("Something went wrong on our side. Dial again.", goes_on=False)

Answer = Callable[[Hop], Awaitable[Page]]
Record = Callable[[UssdEvent], Awaitable[None]]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class UssdEndpoint:
    """Who may call: ``secret`` is the part of the URL that the gateway was given, ``networks`` are
    the networks its calls come from (empty: any)."""

    secret: str = field(repr=False)
    gateway: Gateway
    networks: Sequence[IpNetwork] = ()


def hop_route(answer: Answer, endpoint: UssdEndpoint) -> Route:
    """POST ``/ussd/{secret}``. What can be read is always answered with 200 and a page: any other
    status is an error on the phone. 400 for what cannot be read, 413 over 4 KB, 404 for an unknown
    secret or network, and those of ``bot.http.request_limits``.

    ``answer`` says itself when it is too late (facts: USSD 2). Keep the path out of access logs.
    """
    gateway = endpoint.gateway

    async def receive(request: Request) -> Response:
        if not may_call(request, endpoint.secret, endpoint.networks):
            return Response(status_code=404)  # as if the endpoint did not exist
        body = await read_body(request, HOP_BODY_MAX)
        hop = gateway.parse(body) if _is_of(request, gateway) else None
        if hop is None:
            log.warning("ussd_hop_unreadable", bytes=len(body))
            return Response(status_code=400)
        page = await _page(answer, hop)
        return gateway.reply(page.text, goes_on=page.goes_on)

    return Route(HOP_PATH, receive, methods=["POST"])


def event_route(record: Record, endpoint: UssdEndpoint) -> Route:
    """POST ``/ussd/{secret}/events``. Answers 200 once ``record`` has returned, and 503 if it
    raised; 413 over 16 KB, and the rest as for a hop."""
    gateway = endpoint.gateway

    async def receive(request: Request) -> Response:
        if not may_call(request, endpoint.secret, endpoint.networks):
            return Response(status_code=404)  # as if the endpoint did not exist
        body = await read_body(request, EVENT_BODY_MAX)
        event = gateway.read_event(body) if _is_of(request, gateway) else None
        if event is None:
            log.warning("ussd_event_unreadable", bytes=len(body))
            return Response(status_code=400)
        try:
            await record(event)
        except Exception as error:  # noqa: BLE001  nothing was committed: it may be sent again
            log.error("ussd_event_not_taken", error=type(error).__name__)
            return Response(status_code=503)
        return Response(status_code=200)

    return Route(EVENT_PATH, receive, methods=["POST"])


async def _page(answer: Answer, hop: Hop) -> Page:
    try:
        return await answer(hop)
    except DatabaseUnavailable:
        log.warning("ussd_hop_not_taken")
        return BUSY
    except Exception as error:  # noqa: BLE001  whoever dialled is told, not shown an error
        log.error("ussd_hop_failed", error=type(error).__name__)
        return FAULT


def _is_of(request: Request, gateway: Gateway) -> bool:
    named, _, _ = request.headers.get("content-type", "").partition(";")
    return named.strip().lower() == gateway.media_type
