"""Builds gateways, carriers and the policy from the settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from hashlib import sha256
from typing import TypeAlias

import httpx

from bot.environment.network import Network, NetworkFault
from bot.outbox.carriers import MAIL, SMS, MailChannel, SmsChannel
from bot.outbox.channel import Channel
from bot.security.initiator_password import with_sealed_password
from bot.settings import Settings
from bot.workers import float_purchases, payouts, topups
from services.domain.bank import (
    FloatAnswer,
    FloatOrder,
    NoAnswer,
    NotSent,
    Ready,
    StatusAnswer,
)
from services.domain.bank_line import BankLine
from services.domain.money import Money
from services.domain.otp import CODE_LIMITS
from services.domain.payout_answers import Asked, PayoutAnswer, PayoutOrder
from services.gateways.daraja.b2c import DarajaB2c, DarajaCredentials
from services.gateways.ncba.collections import NcbaCollections, NcbaCredentials
from services.gateways.openbanking.credentials import OpenBankingCredentials
from services.gateways.openbanking.float_bank import OpenBankingFloat
from services.gateways.shared_tokens import SharedTokens
from services.gateways.sms.africas_talking import AfricasTalkingCredentials, AfricasTalkingSms
from services.gateways.smtp import SmtpCredentials, SmtpMailer
from services.gateways.tokens import OWN_TOKENS, TokenKeeper
from services.gateways.webhooks.pinned_network import WebhookProxy
from services.gateways.webhooks.sender import WebhookSender
from services.policy import PaybillDetails, Policy
from services.ports import Clock, Keys
from services.ports.database import Database

# One connection per call, and one per token request.
BANK_CONNECTIONS = sum(kind.LIMITS.calls_max + 1 for kind in (topups, float_purchases, payouts))
# Where Safaricom posts, followed by the secret.
RESULT_PATH = "/daraja/result"
TIMEOUT_PATH = "/daraja/timeout"
# Who keeps the tokens of a gateway at this address, for this user.
KeepTokens: TypeAlias = Callable[[str, str, str], TokenKeeper]


def own_tokens(gateway: str, url: str, user: str) -> TokenKeeper:
    """``KeepTokens`` of a process that shares them with nobody."""
    return OWN_TOKENS


def policy_of(settings: Settings) -> Policy:
    above = settings.topup_code_above
    return Policy(
        short_code=settings.b2c_short_code if settings.sells_float else None,
        topup_code_above=None if above is None else Money(above * 100),
        prompts_own=settings.prompts_per_phone_hour,
        prompts_other=settings.prompts_other_phone_hour,
        phone_freeze=timedelta(hours=settings.phone_freeze_hours),
        otp_kept=timedelta(days=settings.otp_kept_days),
        flood_turns=settings.flood_turns,
        flood_window=timedelta(seconds=settings.flood_window_s),
        by_hand=by_hand_of(settings),
        admin_alerts=settings.admin_alerts,
        float_part_shillings=settings.openbanking_part_shillings,
        code_limits=CODE_LIMITS.times(settings.code_limit_factor),
        ussd_float_max=Money(settings.ussd_float_max * 100),
        payout_short_code=settings.b2c_short_code if settings.pays_customers else None,
        payout_confirm_above=Money(settings.payout_confirm_above * 100),
    )


def by_hand_of(settings: Settings) -> PaybillDetails | None:
    """``None`` without notifications: only they can settle a payment that was not prompted."""
    if not settings.receives_notifications:
        return None
    account = settings.ncba_account_ref_template.replace(
        "{account}", settings.ncba_account_number or ""
    )
    return PaybillDetails(settings.ncba_paybill_no, account, settings.ncba_till is not None)


def bank_client(settings: Settings, network: Network) -> httpx.AsyncClient:
    """For the bank, Daraja and the SMS carrier. Raises ``bot.environment.network.NetworkFault``."""
    limits = httpx.Limits(max_connections=BANK_CONNECTIONS, max_keepalive_connections=64)
    urls = [url for name, url in settings.addresses.items() if name != "TELEGRAM_BASE_URL"]
    return network.client(urls, limits)


def webhook_sender(network: Network, clock: Clock) -> WebhookSender:
    """Calls partners' servers as the other calls are made: the same authorities, and through the
    same proxy, which is asked for the address that was checked."""

    def proxy_for(url: str) -> WebhookProxy | None:
        try:
            proxy = network.proxy_for(url)
        except NetworkFault as fault:
            raise OSError(str(fault)) from None  # as one that cannot be reached
        if proxy is None:
            return None
        scheme = proxy.url.scheme
        port = proxy.url.port or (443 if scheme == "https" else 80)
        return WebhookProxy(scheme, proxy.url.host, port, proxy.auth)

    return WebhookSender(clock, network.tls, proxy_for=proxy_for)


def carriers(settings: Settings, client: httpx.AsyncClient, clock: Clock) -> dict[str, Channel]:
    """The SMS and mail channels that the settings configure."""
    found: dict[str, Channel] = {}
    key = settings.africas_talking_api_key
    if settings.africas_talking_username and key is not None:
        credentials = AfricasTalkingCredentials(
            username=settings.africas_talking_username,
            api_key=key.get_secret_value(),
            base_url=settings.africas_talking_base_url,
            sender_id=settings.africas_talking_sender_id,
        )
        found[SMS] = SmsChannel(AfricasTalkingSms(client, clock, credentials))
    if settings.smtp_host and settings.smtp_from:
        password = settings.smtp_password
        found[MAIL] = MailChannel(
            SmtpMailer(
                clock,
                SmtpCredentials(
                    host=settings.smtp_host,
                    port=settings.smtp_port,
                    sender=settings.smtp_from,
                    username=settings.smtp_username,
                    password=None if password is None else password.get_secret_value(),
                    starttls=settings.smtp_starttls,
                ),
            )
        )
    return found


class NoFloatBank:
    """The float bank when none is configured; purchases still open from before keep waiting."""

    async def prepare(self) -> Ready | NotSent:
        return NotSent("Open Banking is not set up")

    async def purchase(self, ready: Ready, order: FloatOrder) -> FloatAnswer:
        raise AssertionError("nothing is bought without a token")

    async def status(self, reference: str) -> StatusAnswer:
        return NoAnswer("Open Banking is not set up")

    async def lines(self, day: date) -> Sequence[BankLine] | NoAnswer:
        return NoAnswer("Open Banking is not set up")


def float_bank(
    settings: Settings,
    client: httpx.AsyncClient,
    clock: Clock,
    keep_tokens: KeepTokens = own_tokens,
) -> OpenBankingFloat | NoFloatBank:
    if not settings.sells_float:
        return NoFloatBank()
    assert settings.openbanking_base_url is not None
    assert settings.openbanking_subscription_key is not None
    assert settings.openbanking_user_id is not None
    assert settings.openbanking_password is not None
    credentials = OpenBankingCredentials(
        base_url=settings.openbanking_base_url,
        subscription_key=settings.openbanking_subscription_key.get_secret_value(),
        user_id=settings.openbanking_user_id,
        password=settings.openbanking_password.get_secret_value(),
        debit_account=settings.ncba_account_number or "",
        agent_name=settings.openbanking_agent_name,
        user_agent=settings.ncba_user_agent,
        success_codes=settings.openbanking_success_codes,
        refusal_codes=settings.openbanking_refusal_codes,
        accepted_codes=settings.openbanking_accepted_codes,
        bought_codes=settings.openbanking_bought_codes,
        failed_codes=settings.openbanking_failed_codes,
        part_shillings=settings.openbanking_part_shillings,
    )
    keeper = keep_tokens("openbanking", credentials.base_url, credentials.user_id)
    return OpenBankingFloat(client, clock, credentials, keeper)


class NoPayoutRail:
    """The rail when none is configured; payments still open from before keep waiting."""

    async def prepare(self) -> Ready | NotSent:
        return NotSent("Daraja is not set up")

    async def pay(self, ready: Ready, order: PayoutOrder) -> PayoutAnswer:
        raise AssertionError("nothing is paid without a token")

    async def ask_status(self, originator_id: str) -> Asked | NoAnswer:
        return NoAnswer("Daraja is not set up")

    async def ask_balance(self) -> Asked | NoAnswer:
        return NoAnswer("Daraja is not set up")


def payout_rail(
    settings: Settings,
    client: httpx.AsyncClient,
    clock: Clock,
    keep_tokens: KeepTokens = own_tokens,
) -> DarajaB2c | NoPayoutRail:
    """It holds the sealed password and never the password: where the settings still have that, it
    is sealed here. Raises ``bot.security.initiator_password.CertificateFault``."""
    if not settings.pays_customers:
        return NoPayoutRail()
    settings = with_sealed_password(settings)
    assert settings.daraja_consumer_key is not None
    assert settings.daraja_consumer_secret is not None
    assert settings.daraja_initiator_name is not None
    assert settings.daraja_security_credential is not None
    assert settings.daraja_callback_secret is not None
    assert settings.b2c_short_code is not None
    secret = settings.daraja_callback_secret.get_secret_value()
    credentials = DarajaCredentials(
        consumer_key=settings.daraja_consumer_key.get_secret_value(),
        consumer_secret=settings.daraja_consumer_secret.get_secret_value(),
        short_code=settings.b2c_short_code,
        initiator_name=settings.daraja_initiator_name,
        security_credential=settings.daraja_security_credential.get_secret_value(),
        result_url=f"{settings.daraja_callback_url}{RESULT_PATH}/{secret}",
        timeout_url=f"{settings.daraja_callback_url}{TIMEOUT_PATH}/{secret}",
        base_url=settings.daraja_base_url,
        calls_per_s=settings.daraja_calls_per_second,
    )
    keeper = keep_tokens("daraja", credentials.base_url, credentials.consumer_key)
    return DarajaB2c(client, clock, credentials, keeper)


def collections(
    settings: Settings,
    client: httpx.AsyncClient,
    clock: Clock,
    keep_tokens: KeepTokens = own_tokens,
) -> NcbaCollections:
    credentials = ncba_credentials(settings)
    keeper = keep_tokens("ncba", credentials.base_url, credentials.username)
    return NcbaCollections(client, clock, credentials, keeper)


def token_keeping(database: Database, clock: Clock, keys: Keys) -> KeepTokens:
    """Shared where other processes can serve the same database."""
    if not database.is_shared:
        return own_tokens

    def keep(gateway: str, url: str, user: str) -> TokenKeeper:
        whose = sha256(f"{url} {user}".encode()).hexdigest()[:16]
        return SharedTokens(database, clock, keys, f"{gateway} {whose}", database.process)

    return keep


def ncba_credentials(settings: Settings) -> NcbaCredentials:
    """The credentials of NCBA's gateway, from the settings."""
    password = settings.ncba_password
    return NcbaCredentials(
        base_url=settings.ncba_base_url,
        username=settings.ncba_username or "",
        password="" if password is None else password.get_secret_value(),
        paybill_no=settings.ncba_paybill_no,
        account_number=settings.ncba_account_number or "",
        account_ref_template=settings.ncba_account_ref_template,
        till=settings.ncba_till,
        user_agent=settings.ncba_user_agent,
    )
