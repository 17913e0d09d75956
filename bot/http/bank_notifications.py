"""The endpoint for NCBA's payment notifications (facts: NCBA 2 and 6).

It answers only after the commit.
"""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.environment.ip_addresses import IpNetwork
from bot.http.body import read_body
from bot.http.callers import may_call
from services.domain.payment import BankNotification
from services.gateways.ncba.notification_body import NotifyCredentials
from services.gateways.ncba.payment_notification import read_notification

PATH = "/ncba/notify/{secret}"
BODY_MAX = 64 * 1024  # bytes; a notification has some 600
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"

log = structlog.get_logger()

Take = Callable[[BankNotification], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class NotificationEndpoint:
    """Who may send notifications: ``secret`` is the last part of the URL that NCBA was given,
    ``networks`` are the networks its calls come from (empty: any)."""

    secret: str = field(repr=False)
    credentials: NotifyCredentials
    networks: Sequence[IpNetwork] = ()


def notification_route(take: Take, endpoint: NotificationEndpoint) -> Route:
    """POST ``/ncba/notify/{secret}``: XML if the body begins with ``<``, else JSON.

    Once ``take`` has returned, answers 200 with "received" or "not accepted" in the format of the
    request (in a SOAP envelope for account notifications). Any other status makes NCBA retry: 503
    if ``take`` raised, 413 over 64 KB, 404 for an unknown secret or network, and those of
    ``bot.http.request_limits``. Keep the path out of access logs.
    """

    async def receive(request: Request) -> Response:
        if not may_call(request, endpoint.secret, endpoint.networks):
            return Response(status_code=404)  # as if the endpoint did not exist
        body = await read_body(request, BODY_MAX)
        xml = body.removeprefix(BOM_UTF8).lstrip().startswith(b"<")
        notification = read_notification(body, xml=xml, credentials=endpoint.credentials)
        try:
            accepted = await take(notification)
        except Exception as error:  # noqa: BLE001  nothing was committed: NCBA must retry
            log.error("notification_not_taken", error=type(error).__name__)
            return Response(status_code=503)
        if xml:
            return _xml(accepted, enveloped=notification.of_account)
        return _json(accepted)

    return Route(PATH, receive, methods=["POST"])


def _json(accepted: bool) -> Response:
    code, words = ("0", "Received") if accepted else ("1", "Not accepted")
    body = json.dumps({"ResultCode": code, "ResultDesc": words})
    return Response(body, media_type="application/json")


def _xml(accepted: bool, *, enveloped: bool) -> Response:
    result = "OK" if accepted else "FAIL"
    body = (
        f"<NCBAPaymentNotificationResult><Result>{result}</Result></NCBAPaymentNotificationResult>"
    )
    if enveloped:
        body = (
            f'<soapenv:Envelope xmlns:soapenv="{_SOAP}"><soapenv:Header/>'
            f"<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
        )
    return Response(body, media_type="text/xml")
