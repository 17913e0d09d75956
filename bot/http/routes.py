"""Inbound HTTP routes besides chats: the bank's notifications, SMS delivery reports, USSD."""

from __future__ import annotations

from functools import partial

from starlette.routing import BaseRoute

from bot.app import App
from bot.http.bank_notifications import NotificationEndpoint, notification_route
from bot.http.daraja_results import DarajaEndpoint, payout_result_routes
from bot.http.sms_reports import sms_report_route
from bot.http.ussd.africas_talking import AfricasTalking
from bot.http.ussd.routes import UssdEndpoint, event_route, hop_route
from bot.http.ussd.session_events import SessionEvents
from bot.outbox.carriers import SMS
from bot.settings import Settings
from services.domain.payment_purpose import PARTED
from services.gateways.ncba.notification_body import NotifyCredentials


def inbound_routes(app: App, settings: Settings) -> list[BaseRoute]:
    """One route for each caller whose secrets are set."""
    routes: list[BaseRoute] = []
    if settings.sms_report_secret is not None:
        secret = settings.sms_report_secret.get_secret_value()
        routes.append(sms_report_route(partial(app.record_delivery_report, SMS), secret))
    endpoint = notification_endpoint(settings)
    if endpoint is not None:
        routes.append(notification_route(app.record_notification, endpoint))
    daraja = daraja_endpoint(settings)
    if daraja is not None:
        results = app.payout_results
        routes += payout_result_routes(results.record_result, results.record_timeout, daraja)
    ussd = ussd_endpoint(settings)
    if ussd is not None:
        routes.append(hop_route(app.hops.answer, ussd))
        events = SessionEvents(app.database, app.metrics)
        routes.append(event_route(events.record, ussd))
    return routes


def notification_endpoint(settings: Settings) -> NotificationEndpoint | None:
    """``None`` unless all of NCBA's notification credentials are set."""
    secret, password = settings.ncba_notify_secret, settings.ncba_notify_password
    key, username = settings.ncba_notify_key, settings.ncba_notify_username
    if secret is None or password is None or key is None or not username:
        return None
    credentials = NotifyCredentials(
        username=username,
        password=password.get_secret_value(),
        secret_key=key.get_secret_value(),
        paybill_no=settings.ncba_paybill_no,
        account_number=settings.ncba_account_number or "",
        bank_account=settings.ncba_notify_account or "",
        fixed_words=_fixed_words(settings),
        product=settings.ncba_notify_product,
    )
    return NotificationEndpoint(
        secret.get_secret_value(), credentials, settings.ncba_notify_networks
    )


def ussd_endpoint(settings: Settings) -> UssdEndpoint | None:
    """``None`` unless USSD's secret and service codes are set."""
    secret, codes = settings.ussd_secret, settings.ussd_codes
    if secret is None or not codes:
        return None
    gateway = AfricasTalking(codes)
    return UssdEndpoint(secret.get_secret_value(), gateway, settings.ussd_networks)


def daraja_endpoint(settings: Settings) -> DarajaEndpoint | None:
    """``None`` unless Daraja's callback secret is set."""
    secret = settings.daraja_callback_secret
    if secret is None:
        return None
    return DarajaEndpoint(secret.get_secret_value(), settings.daraja_networks)


def _fixed_words(settings: Settings) -> tuple[str, ...]:
    """The fixed parts that our prompts and QR pictures carry besides the reference."""
    bare = settings.ncba_account_ref_template.format(
        account=settings.ncba_account_number or "", reference=""
    )
    return (*bare.split(PARTED), settings.ncba_till or "")
