"""All settings, read in one place: from the environment first, then from ``.env``."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Self, get_args
from urllib.parse import urlsplit

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.environment import env_file
from bot.environment.ip_addresses import parse_ip_networks
from bot.environment.setting_errors import describe_errors
from bot.environment.setting_types import (
    BotApiUrl,
    BotToken,
    Database,
    Day,
    FilePath,
    Header,
    HeaderSecret,
    Host,
    Ids,
    InitiatorPassword,
    IpNetworks,
    LongPathSecret,
    Mailbox,
    Origin,
    PathSecret,
    PublicOrigin,
    ResponseCodes,
    SecurityCredential,
    ServiceCodes,
    Template,
    TimeOfDay,
    TimeOrOff,
    Url,
    Urls,
    WebhookSecret,
    clean_text,
    in_brackets,
    is_this_machine,
)
from services.domain.database import DatabaseServer
from services.gateways.ncba.notification_body import NotificationProduct

# The only ports on which Telegram calls a webhook (facts: channels, Telegram).
WEBHOOK_PORTS = frozenset({80, 88, 443, 8443})
# Where Safaricom's Results come from (facts: Daraja 5).
DARAJA_NETWORKS = parse_ip_networks(
    "196.201.214.200,196.201.214.206,196.201.214.207,196.201.214.208,196.201.213.114,"
    "196.201.213.44,196.201.212.127,196.201.212.128,196.201.212.129,196.201.212.132,"
    "196.201.212.136,196.201.212.138,196.201.212.69,196.201.212.74"
)


class TelegramIntake(StrEnum):
    """How we receive Telegram's updates."""

    POLLING = "polling"
    WEBHOOK = "webhook"


class AuditHeads(StrEnum):
    """Whether admins receive the head of the audit log."""

    OFF = "off"
    DAILY = "daily"


class Settings(BaseSettings):
    """The environment uses the same names in upper case.

    Raises ``pydantic.ValidationError`` on an invalid value, and
    ``bot.environment.env_file.EnvFileFault``; ``read_settings`` raises both as ``SettingsFault``.
    """

    model_config = SettingsConfigDict(
        extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

    database: Database = Field(
        Path("hazina.db"),
        description="File of the SQLite database, or postgresql://… of one on a server",
    )
    patroni_urls: Urls = Field(
        (),
        description="Patroni's REST API on each node, separated by commas: it names the primary",
    )
    log_level: str = Field(
        "info", pattern="^(debug|info|warning|error)$", description="Least level that is logged"
    )
    admin_ids: Ids = Field(
        frozenset(), description="Telegram user ids of admins, separated by commas"
    )

    telegram_bot_token: BotToken | None = Field(None, description="Token from @BotFather")
    telegram_base_url: BotApiUrl = Field(
        "https://api.telegram.org/bot",
        description="Bot API server; another one when you run your own",
    )
    telegram_intake: TelegramIntake = Field(
        TelegramIntake.POLLING, description="How updates come in: polling or webhook"
    )
    telegram_poll_s: int = Field(
        50, ge=0, le=86_400, description="Seconds that one long poll stays open; Telegram keeps 50"
    )
    telegram_webhook_url: Url | None = Field(
        None,
        pattern="^https://.+/telegram/webhook$",
        description="Public address of the webhook, ending in /telegram/webhook",
    )
    telegram_webhook_secret: WebhookSecret | None = Field(
        None, description="1-256 of A-Z a-z 0-9 _ - that Telegram sends along to the webhook"
    )
    http_host: Host = Field(
        "127.0.0.1", description="Address that health, notifications and webhooks are served on"
    )
    http_port: int = Field(8080, ge=0, le=65_535, description="Port of that address; 0: any")
    api: bool = Field(False, description="Serve the HTTP API for partners' systems there too")
    dashboard: bool = Field(False, description="Serve the dashboard for admins there too")
    dashboard_url: Origin | None = Field(
        None,
        description="Where admins reach it: https, or this machine; left out: HTTP_HOST and port",
    )
    forwarded_allow_ips: IpNetworks = Field(
        parse_ip_networks("127.0.0.1,::1"),
        description="Proxies that say in X-Forwarded-For who calls: addresses, networks, or *",
    )
    message_rate_chat: float = Field(
        1.0, gt=0, le=30, description="Messages a second to one chat (a burst of 3 is let through)"
    )
    message_rate_overall: float = Field(
        30.0, gt=0, le=1_000, description="Messages a second to all chats together"
    )

    ncba_base_url: Url = Field(
        "https://c2bapis.ncbagroup.com",
        description="NCBA's collections API",
    )
    ncba_username: str | None = Field(None, description="User name for NCBA's token")
    ncba_password: SecretStr | None = Field(None, description="Password for NCBA's token")
    ncba_paybill_no: str = Field(
        "880100", pattern="^[0-9]{5,7}$", description="Paybill that prompts pay into"
    )
    ncba_account_number: str | None = Field(
        None, pattern="^[A-Za-z0-9]{1,32}$", description="Our account behind the paybill"
    )
    ncba_account_ref_template: Template = Field(
        "{account}#{reference}",
        description="How AccountNo is made of {account} and {reference}: as NCBA sold the product",
    )
    ncba_user_agent: Header = Field(
        "Hazina/0.1", min_length=1, description="User-Agent: NCBA refuses those of libraries"
    )

    ncba_till: str | None = Field(
        None, pattern="^[A-Za-z0-9]{1,32}$", description="Till that QR pictures pay into"
    )
    ncba_notify_secret: PathSecret | None = Field(
        None,
        description="16-128 of A-Z a-z 0-9 _ -: NCBA tells of payments at /ncba/notify/ and this",
    )
    ncba_notify_username: str | None = Field(
        None, description="User name that we gave NCBA for its notifications"
    )
    ncba_notify_password: SecretStr | None = Field(
        None, description="Password that we gave NCBA for its notifications"
    )
    ncba_notify_key: SecretStr | None = Field(
        None, description="Secret key that we gave NCBA for the hash of its notifications"
    )
    ncba_notify_networks: IpNetworks = Field(
        (), description="Where NCBA's notifications come from, by commas; left out: anywhere"
    )
    ncba_notify_product: NotificationProduct = Field(
        NotificationProduct.BOTH,
        description="Which notifications NCBA sends: paybill, account or both",
    )
    ncba_notify_account: str | None = Field(
        None,
        pattern="^[A-Za-z0-9]{1,32}$",
        description="Our account as notifications name it, where it is not NCBA_ACCOUNT_NUMBER",
    )

    reconcile_at: TimeOrOff = Field(
        time(6, 0), description="When, in Nairobi, the day before is closed; off: never by itself"
    )

    openbanking_base_url: Url | None = Field(
        None,
        description="NCBA's Open Banking API, which sells float; NCBA tells you the address",
    )
    openbanking_subscription_key: HeaderSecret | None = Field(
        None, description="Ocp-Apim-Subscription-Key that NCBA gave"
    )
    openbanking_user_id: str | None = Field(None, description="User id for Open Banking's token")
    openbanking_password: SecretStr | None = Field(
        None, description="Password for Open Banking's token"
    )
    openbanking_agent_name: str = Field(
        "Hazina", min_length=1, max_length=64, description="reqAgentName of a float purchase"
    )
    openbanking_part_shillings: bool = Field(
        False, description="The bank takes a float purchase with cents: partners' systems may ask"
    )
    openbanking_success_codes: ResponseCodes = Field(
        frozenset({"000"}), description="Answers to a float purchase that mean: bought"
    )
    openbanking_refusal_codes: ResponseCodes = Field(
        frozenset(), description="Answers to a float purchase that mean: finally not bought"
    )
    openbanking_accepted_codes: ResponseCodes = Field(
        frozenset(),
        description="Of those that mean bought: only taken; the status query decides",
    )
    openbanking_bought_codes: ResponseCodes = Field(
        frozenset({"000"}), description="Answers to a status query that mean: bought"
    )
    openbanking_failed_codes: ResponseCodes = Field(
        frozenset(), description="Answers to a status query that mean: finally not bought"
    )
    b2c_short_code: str | None = Field(
        None, pattern="^[0-9]{5,7}$", description="B2C short code that bought float is for"
    )

    daraja_base_url: Url = Field(
        "https://api.safaricom.co.ke",
        description="Safaricom's Daraja, which pays customers; another one for its sandbox",
    )
    daraja_consumer_key: HeaderSecret | None = Field(
        None, description="Consumer key of the app on Daraja"
    )
    daraja_consumer_secret: HeaderSecret | None = Field(
        None, description="Consumer secret of that app"
    )
    daraja_initiator_name: Header | None = Field(
        None, max_length=100, description="Name of the short code's API user, who orders payments"
    )
    daraja_security_credential: SecurityCredential | None = Field(
        None, description="Its password, sealed for M-PESA: what its portal calls so"
    )
    daraja_initiator_password: InitiatorPassword | None = Field(
        None, description="Or that password itself, which DARAJA_CERTIFICATE seals at the start"
    )
    daraja_certificate: FilePath | None = Field(
        None, description="File of M-PESA's certificate (PEM or DER), which seals that password"
    )
    daraja_password_set_on: Day | None = Field(
        None, description="Day on which that password was set, such as 2026-11-29: it lives 90 days"
    )
    daraja_callback_url: PublicOrigin | None = Field(
        None,
        description="Public https address, without a path, that Safaricom reaches the desk at",
    )
    daraja_callback_secret: LongPathSecret | None = Field(
        None,
        description="32-128 of A-Z a-z 0-9 _ -: Results come to /daraja/result/ and this",
    )
    daraja_networks: IpNetworks = Field(
        DARAJA_NETWORKS, description="Where Safaricom's Results come from, by commas; *: anywhere"
    )
    daraja_calls_per_second: int = Field(
        5, ge=1, le=1_000, description="Requests a second to Daraja at most; slower if it complains"
    )
    payout_confirm_above: int = Field(
        100_000,
        ge=0,
        le=1_000_000,
        description="Shillings above which a payout is paid only once a status query says so",
    )

    hazina_keys: SecretStr | None = Field(
        None,
        description="Keys for codes and what waits to be sent, id:secret by commas, newest first;"
        " left out: the file beside the database, made at the first start",
    )
    topup_code_above: int | None = Field(
        None, ge=1, description="Shillings above which a top-up needs a code; left out: never"
    )
    prompts_per_phone_hour: int = Field(
        60, ge=1, le=1_000_000, description="Prompts an hour to the own registered number"
    )
    prompts_other_phone_hour: int = Field(
        5,
        ge=1,
        le=1_000_000,
        description="Prompts an hour to one phone by all whose number it is not",
    )
    phone_freeze_hours: int = Field(
        24, ge=0, le=720, description="Hours for which float rests after a number was changed"
    )
    code_limit_factor: int = Field(
        1,
        ge=1,
        le=100,
        description="How many times as many codes may be asked for, and typed wrong",
    )
    otp_kept_days: int = Field(
        90, ge=1, le=3_650, description="Days after which used and dead codes are deleted"
    )
    backups_kept: int = Field(
        30, ge=0, le=10_000, description="Backups that are kept, one a night; 0: none is made"
    )
    backup_at: TimeOfDay = Field(time(2, 30), description="When, in Nairobi")
    backup_dir: FilePath | None = Field(
        None, description="Folder of the backups; left out: backups, beside the database"
    )
    backup_keys: SecretStr | None = Field(
        None, description="Keys that seal backups, id:secret by commas, newest first"
    )
    audit_heads: AuditHeads = Field(
        AuditHeads.OFF, description="Tell admins the head of the audit log: off or daily"
    )
    admin_alerts: bool = Field(
        False, description="Write to admins at once when a payment comes on their list"
    )
    flood_turns: int = Field(
        100, ge=1, le=1_000_000, description="Turns of one account that are answered in a window"
    )
    flood_window_s: int = Field(
        60, ge=1, le=3_600, description="Seconds of such a window; ten times the turns for admins"
    )
    api_reads_per_minute: int = Field(
        600, ge=1, le=1_000_000, description="API calls of one partner a minute that only read"
    )
    api_moves_per_minute: int = Field(
        60, ge=1, le=1_000_000, description="API calls of one partner a minute for money and codes"
    )
    api_waits_per_partner: int = Field(
        128, ge=1, le=1_000_000, description="Calls of one partner that wait for a change at once"
    )

    gc_freeze: bool = Field(True, description="Spare what the start loads from garbage collection")
    switch_interval_s: float = Field(
        0.0001, ge=0.00001, le=1, description="Seconds until a thread makes way for another"
    )

    africas_talking_username: str | None = Field(None, description="User name for SMS")
    africas_talking_api_key: HeaderSecret | None = Field(None, description="API key for SMS")
    africas_talking_sender_id: str | None = Field(
        None, pattern="^[A-Za-z0-9 ._-]{1,11}$", description="Who an SMS comes from, if registered"
    )
    africas_talking_base_url: Url = Field(
        "https://api.africastalking.com",
        description="Africa's Talking; another one for its sandbox",
    )
    sms_report_secret: PathSecret | None = Field(
        None,
        description="16-128 of A-Z a-z 0-9 _ -: delivery reports come to /sms/report/ and this",
    )
    ussd_secret: LongPathSecret | None = Field(
        None, description="32-128 of A-Z a-z 0-9 _ -: USSD's gateway calls at /ussd/ and this"
    )
    ussd_codes: ServiceCodes = Field(
        frozenset(), description="Service codes people dial, such as *384*7#, by commas"
    )
    ussd_networks: IpNetworks = Field(
        (), description="Where USSD's gateway calls from, by commas; left out: anywhere"
    )
    ussd_float_max: int = Field(
        10_000,
        ge=1,
        le=1_000_000,
        description="Most float, in shillings, that a desk PIN can buy on USSD",
    )
    smtp_host: Host | None = Field(None, description="Mail server; left out: no mail is sent")
    smtp_port: int = Field(587, ge=1, le=65_535, description="Port of the mail server")
    smtp_username: str | None = Field(None, description="User name at the mail server")
    smtp_password: SecretStr | None = Field(None, description="Password at the mail server")
    smtp_from: Mailbox | None = Field(None, description="Address that mail comes from")
    smtp_starttls: bool = Field(True, description="Whether mail must be encrypted on its way")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings, _EnvFile(settings_cls))

    @field_validator("*", mode="before")
    @classmethod
    def _plain(cls, value: object, info: ValidationInfo) -> object:
        return clean_text(value, secret=str(info.field_name).upper() in secret_names())

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Check settings that are valid alone but contradict each other."""
        if self.smtp_username is not None and not self.smtp_starttls:
            raise ValueError("SMTP_STARTTLS: is off, and SMTP_USERNAME logs in: all could read it")
        for success, failure in (
            ("openbanking_success_codes", "openbanking_refusal_codes"),
            ("openbanking_bought_codes", "openbanking_failed_codes"),
        ):
            if getattr(self, success) & getattr(self, failure):
                raise ValueError(f"{success.upper()}: has a code that {failure.upper()} has too")
        if self.daraja_initiator_password is not None:
            if self.daraja_security_credential is not None:
                raise ValueError(
                    "DARAJA_SECURITY_CREDENTIAL: is set, and DARAJA_INITIATOR_PASSWORD too:"
                    " leave one out"
                )
            if self.daraja_certificate is None:
                raise ValueError(
                    "DARAJA_CERTIFICATE: is missing, and DARAJA_INITIATOR_PASSWORD is sealed by it"
                )
        port = urlsplit(self.telegram_webhook_url or "").port or 443
        if "//api.telegram.org" in self.telegram_base_url and port not in WEBHOOK_PORTS:
            raise ValueError(
                "TELEGRAM_WEBHOOK_URL: Telegram calls the ports 80, 88, 443 and 8443 only"
            )
        if self.dashboard and self.dashboard_url is None:
            if not is_this_machine(self.http_host):
                raise ValueError(
                    "DASHBOARD_URL: is missing, and HTTP_HOST is more than this machine"
                )
            if self.http_port == 0:
                raise ValueError("DASHBOARD_URL: is missing, and HTTP_PORT 0 may be any")
        if self.patroni_urls:
            if not isinstance(self.database, DatabaseServer):
                raise ValueError("PATRONI_URLS: is for a DATABASE on a server, postgresql://…")
            self.database = replace(self.database, patroni=self.patroni_urls)
        return self

    @property
    def database_file(self) -> Path | None:
        """``None``: the database is on a server."""
        return self.database if isinstance(self.database, Path) else None

    @property
    def dashboard_address(self) -> str | None:
        """Where admins reach the dashboard, without a slash at the end; ``None``: it is off."""
        if not self.dashboard:
            return None
        return self.dashboard_url or f"http://{in_brackets(self.http_host)}:{self.http_port}"

    @property
    def addresses(self) -> dict[str, str]:
        """Base URLs that HTTP calls go to, by setting name; only those in use."""
        found = {
            "TELEGRAM_BASE_URL": self.telegram_base_url,
            "NCBA_BASE_URL": self.ncba_base_url,
        }
        if self.openbanking_base_url:
            found["OPENBANKING_BASE_URL"] = self.openbanking_base_url
        if self.africas_talking_username:
            found["AFRICAS_TALKING_BASE_URL"] = self.africas_talking_base_url
        if self.pays_customers:
            found["DARAJA_BASE_URL"] = self.daraja_base_url
        return found

    @property
    def receives_notifications(self) -> bool:
        """Whether every credential that authenticates NCBA's notifications is set."""
        return all(self.notification_needs.values())

    @property
    def notification_needs(self) -> dict[str, object]:
        """The settings that NCBA's notifications require, by name."""
        return {
            "NCBA_NOTIFY_SECRET": self.ncba_notify_secret,
            "NCBA_NOTIFY_USERNAME": self.ncba_notify_username,
            "NCBA_NOTIFY_PASSWORD": self.ncba_notify_password,
            "NCBA_NOTIFY_KEY": self.ncba_notify_key,
        }

    @property
    def serves_ussd(self) -> bool:
        """Whether everything that USSD requires is set."""
        return all(self.ussd_needs.values())

    @property
    def ussd_needs(self) -> dict[str, object]:
        """The settings that USSD requires, by name."""
        return {"USSD_SECRET": self.ussd_secret, "USSD_CODES": self.ussd_codes}

    @property
    def sells_float(self) -> bool:
        """Whether everything that buying float requires is set."""
        return all(self.float_needs.values())

    @property
    def float_needs(self) -> dict[str, object]:
        """The settings that buying float requires, by name."""
        return {
            "OPENBANKING_BASE_URL": self.openbanking_base_url,
            "OPENBANKING_SUBSCRIPTION_KEY": self.openbanking_subscription_key,
            "OPENBANKING_USER_ID": self.openbanking_user_id,
            "OPENBANKING_PASSWORD": self.openbanking_password,
            "B2C_SHORT_CODE": self.b2c_short_code,
        }

    @property
    def pays_customers(self) -> bool:
        """Whether everything that paying customers requires is set."""
        return all(self.payout_needs.values())

    @property
    def payout_needs(self) -> dict[str, object]:
        """The settings that paying customers requires, by name; the initiator's password stands
        in for what it is sealed to."""
        return {
            "DARAJA_CONSUMER_KEY": self.daraja_consumer_key,
            "DARAJA_CONSUMER_SECRET": self.daraja_consumer_secret,
            "DARAJA_INITIATOR_NAME": self.daraja_initiator_name,
            "DARAJA_SECURITY_CREDENTIAL": (
                self.daraja_security_credential or self.daraja_initiator_password
            ),
            "DARAJA_CALLBACK_URL": self.daraja_callback_url,
            "DARAJA_CALLBACK_SECRET": self.daraja_callback_secret,
            "B2C_SHORT_CODE": self.b2c_short_code,
        }


class SettingsFault(Exception):
    """The settings are invalid: one line per error, which names the variable or the file."""


class _EnvFile(PydanticBaseSettingsSource):
    """The values in ``.env``."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls)
        ours = {name.upper() for name in settings_cls.model_fields}
        found = env_file.read_env_file(ours=ours, secret=secret_names())
        self._values = {name.lower(): text for name, text in found.items() if text and name in ours}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self._values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return dict(self._values)


def read_settings() -> Settings:
    """From the environment and ``.env``. Raises ``SettingsFault``."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsFault("\n".join(describe_errors(error))) from None
    except env_file.EnvFileFault as fault:
        raise SettingsFault(str(fault)) from None


@cache
def secret_names() -> frozenset[str]:
    """Names, in upper case, of the settings whose values must never be shown."""
    return frozenset(
        name.upper()
        for name, field in Settings.model_fields.items()
        if _is_secret(field.annotation)
    )


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(_is_secret(part) for part in get_args(annotation))
