"""The endpoint for Africa's Talking SMS delivery reports.

200 acknowledges a report, so it is sent only after the commit.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.http.body import read_body
from bot.http.callers import may_call
from bot.http.form import read_form
from services.domain.message import DeliveryReport
from services.gateways.sms.delivery_report import read_report

PATH = "/sms/report/{secret}"
BODY_MAX = 8 * 1024  # bytes; a report has some 300
FIELDS_MAX = 32  # a report has seven known fields
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,128}")

log = structlog.get_logger()

Take = Callable[[DeliveryReport], Awaitable[None]]


def sms_report_route(take: Take, secret: str) -> Route:
    """POST ``/sms/report/{secret}``. Reports are unsigned, so the secret authenticates the caller.

    Answers 200 once ``take`` has returned, and 503 if it raised. Keep the path out of access logs
    (facts: channels, Africa's Talking SMS).
    Raises ``ValueError`` if the secret is not 16-128 of A-Z, a-z, 0-9, _ and -.
    """
    if not _SECRET.fullmatch(secret):
        raise ValueError("an SMS report's secret is 16-128 of A-Z, a-z, 0-9, _ and -")

    async def receive(request: Request) -> Response:
        if not may_call(request, secret):
            return Response(status_code=404)  # as if the endpoint did not exist
        body = await read_body(request, BODY_MAX)
        return Response(status_code=await _answer(body, take))

    return Route(PATH, receive, methods=["POST"])


async def _answer(body: bytes, take: Take) -> int:
    """The HTTP status to answer with."""
    report = _parse(body)
    if report is None:
        log.warning("sms_report_unreadable", bytes=len(body))
        return 400
    try:
        await take(report)
    except Exception as error:  # noqa: BLE001  nothing was committed: the report must be retried
        log.error("sms_report_not_taken", error=type(error).__name__)
        return 503
    return 200


def _parse(body: bytes) -> DeliveryReport | None:
    fields = read_form(body, FIELDS_MAX)
    return None if fields is None else read_report(dict(fields))
