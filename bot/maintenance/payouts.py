"""What `hazina doctor` checks of paying customers, beyond settings (facts: Daraja 1, 4, 5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

import httpx

from bot.adapters import payout_rail
from bot.clock import SystemClock
from bot.database import database_files
from bot.maintenance.check_result import CheckResult, failed, passed, warned
from bot.security.initiator_password import CertificateFault, certificate_key
from bot.settings import DARAJA_NETWORKS, Settings
from services.domain.bank import Ready
from services.domain.business_days import business_day
from services.domain.database import DatabaseFailed, DatabaseInUse, LockingUnsupported

PASSWORD_LIVES_DAYS = 90
WARNED_FROM_DAYS = 80
CERTIFICATE, PASSWORD = "certificate", "initiator's password"


def check_payouts(
    settings: Settings, stored: Mapping[str, datetime], now: datetime
) -> Iterator[CheckResult]:
    """``stored``: when each secret in use from the database was set. Missing settings are reported
    elsewhere."""
    if not settings.pays_customers:
        yield passed("payouts", "are off")
        return
    yield _callbacks(settings)
    if settings.daraja_certificate is not None:
        yield _certificate(settings.daraja_certificate)
    yield _password_age(settings, stored, business_day(now))


async def check_daraja(settings: Settings, client: httpx.AsyncClient) -> CheckResult:
    """Asks for a token, unless a desk on the same database may be running: a new token would end
    the one it has. On a server nothing tells whether one is."""
    database = settings.database_file
    if database is None:
        says = "is not asked: a desk may be running on that server, whose token that would end"
        remedy = "when none is, `DATABASE=none.db hazina doctor` asks"
        return warned("daraja", says, remedy)
    try:
        if database.exists():
            with database_files.locked(database):
                pass
    except DatabaseInUse:
        return passed("daraja", "is not asked: a new token would end that of the desk that runs")
    except (DatabaseFailed, LockingUnsupported, OSError):
        says = "is not asked: whether a desk is running, whose token that would end, is unknown"
        return warned("daraja", says, "see what is said of the database, then ask again")
    try:
        answer = await payout_rail(settings, client, SystemClock()).prepare()
    except CertificateFault:
        return failed("daraja", "is not asked: the certificate cannot be used", "correct that")
    if isinstance(answer, Ready):
        return passed("daraja", "gave a token")
    remedy = "check DARAJA_CONSUMER_KEY, DARAJA_CONSUMER_SECRET and DARAJA_BASE_URL"
    return failed("daraja", f"gave no token: {answer.why}", remedy)


def _callbacks(settings: Settings) -> CheckResult:
    networks = settings.daraja_networks
    where = f"Results come to {settings.daraja_callback_url}"
    if not networks or any(network.prefixlen == 0 for network in networks):
        says = f"{where} from anywhere: whoever learns the secret can say that somebody was paid"
        return warned("payouts", says, "leave DARAJA_NETWORKS out: Safaricom's own are the default")
    whence = "Safaricom's addresses" if set(networks) <= set(DARAJA_NETWORKS) else "DARAJA_NETWORKS"
    return passed("payouts", f"{where}, from {whence} alone")


def _certificate(path: Path) -> CheckResult:
    try:
        key = certificate_key(path)
    except CertificateFault as fault:
        remedy = "download the environment's certificate from Daraja's portal, and name its file"
        return failed(CERTIFICATE, str(fault), remedy)
    return passed(CERTIFICATE, f"{path} has an RSA key of {key.key_size:,} bits")


def _password_age(settings: Settings, stored: Mapping[str, datetime], today: date) -> CheckResult:
    is_sealed = settings.daraja_security_credential is not None
    name = "DARAJA_SECURITY_CREDENTIAL" if is_sealed else "DARAJA_INITIATOR_PASSWORD"
    since = settings.daraja_password_set_on
    how = "set"
    if since is None and name in stored:
        since, how = business_day(stored[name]), "stored"
    if since is None:
        says = f"when it was set is unknown, and M-PESA takes it for {PASSWORD_LIVES_DAYS} days"
        return warned(PASSWORD, says, "set DARAJA_PASSWORD_SET_ON to the day, such as 2026-11-29")
    says = f"was {how} on {since}"
    if since > today:
        return failed(PASSWORD, f"{says}, which is still to come", "correct DARAJA_PASSWORD_SET_ON")
    age = (today - since).days
    ends = since + timedelta(days=PASSWORD_LIVES_DAYS)
    remedy = "set another on M-PESA's portal, then here, with the day in DARAJA_PASSWORD_SET_ON"
    if age >= PASSWORD_LIVES_DAYS:
        return failed(PASSWORD, f"{says}: M-PESA took it until {ends}", remedy)
    if age >= WARNED_FROM_DAYS:
        return warned(PASSWORD, f"{says}: M-PESA takes it until {ends} only", remedy)
    return passed(PASSWORD, f"{says}: M-PESA takes it until {ends}")
