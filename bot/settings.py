"""Every setting, read in one place: environment first, then ``.env``."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from string import Formatter
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Intake(StrEnum):
    """How Telegram's updates come in."""

    POLLING = "polling"
    WEBHOOK = "webhook"


def _header_word(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret.get_secret_value()):
        raise ValueError("1-256 of A-Z, a-z, 0-9, _ and -")
    return secret


def _template(template: str) -> str:
    """What NCBA's gateway fills: placeholders {account} and {reference}, nothing else."""
    try:
        names = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError:
        raise ValueError("a brace stands alone") from None
    if not names <= {"account", "reference"} or "account" not in names:
        raise ValueError("needs {account}, may have {reference}, and no other placeholder")
    return template


class Settings(BaseSettings):
    """Names here in lower case are the environment's in upper case.

    Raises ``pydantic.ValidationError`` on a value that cannot be; ``faults`` words it.
    """

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        hide_input_in_errors=True,
        env_ignore_empty=True,
    )

    database: Path = Field(Path("hazina.db"), description="File of the SQLite database")
    log_level: str = Field(
        "info", pattern="^(debug|info|warning|error)$", description="Least level that is logged"
    )
    admin_ids: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(), description="Telegram user ids of admins, separated by commas"
    )

    telegram_bot_token: SecretStr | None = Field(None, description="Token from @BotFather")
    telegram_base_url: str = Field(
        "https://api.telegram.org/bot",
        pattern="^https?://.*/bot$",
        description="Bot API server; another one when you run your own",
    )
    telegram_intake: Intake = Field(
        Intake.POLLING, description="How updates come in: polling or webhook"
    )
    telegram_poll_s: int = Field(
        50, ge=0, le=86_400, description="Seconds that one long poll stays open"
    )
    telegram_webhook_url: str | None = Field(
        None,
        pattern="^https://.+/telegram/webhook$",
        description="Public address of the webhook, ending in /telegram/webhook",
    )
    telegram_webhook_secret: Annotated[SecretStr, AfterValidator(_header_word)] | None = Field(
        None, description="1-256 of A-Z a-z 0-9 _ - that Telegram sends along to the webhook"
    )
    http_host: str = Field("127.0.0.1", description="Address the webhook edge listens on")
    http_port: int = Field(8080, ge=0, le=65_535, description="Port the webhook edge listens on")
    message_rate_chat: float = Field(
        1.0, gt=0, le=30, description="Messages a second to one chat (a burst of 3 is let through)"
    )
    message_rate_overall: float = Field(
        30.0, gt=0, le=1_000, description="Messages a second to all chats together"
    )

    ncba_base_url: str = Field(
        "https://c2bapis.ncbagroup.com",
        pattern="^https?://[^/]+",
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
    ncba_account_ref_template: Annotated[str, AfterValidator(_template)] = Field(
        "{account}#{reference}",
        description="How AccountNo is made of {account} and {reference}: as NCBA sold the product",
    )
    ncba_user_agent: str = Field(
        "Hazina/0.1", min_length=1, description="User-Agent: NCBA refuses those of libraries"
    )

    @field_validator("admin_ids", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        ids = frozenset(part.strip() for part in value.split(",") if part.strip())
        if any(not (one.isascii() and one.isdigit()) for one in ids):
            raise ValueError("numeric Telegram ids, separated by commas")
        return ids

    def missing(self) -> list[str]:
        """What a real run still needs, a line each."""
        needed: list[tuple[str, object, str]] = [
            ("TELEGRAM_BOT_TOKEN", self.telegram_bot_token, "the token that @BotFather gave"),
            ("NCBA_USERNAME", self.ncba_username, "the user name that NCBA gave"),
            ("NCBA_PASSWORD", self.ncba_password, "the password that NCBA gave"),
            ("NCBA_ACCOUNT_NUMBER", self.ncba_account_number, "your account behind the paybill"),
        ]
        if self.telegram_intake is Intake.WEBHOOK:
            needed += [
                ("TELEGRAM_WEBHOOK_URL", self.telegram_webhook_url, "where Telegram reaches us"),
                ("TELEGRAM_WEBHOOK_SECRET", self.telegram_webhook_secret, "a secret of your own"),
            ]
        return [f"{name} is missing: set it to {what}" for name, value, what in needed if not value]


def faults(error: ValidationError) -> list[str]:
    """One line a fault, without the value: it may be a secret."""
    return [
        f"{'.'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}"
        for fault in error.errors(include_url=False, include_input=False, include_context=False)
    ]
